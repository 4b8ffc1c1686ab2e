/*
 * config.c: fuzz target: a settings file, and after a NUL the environment, one variable a line. What is
 * accepted must print itself, and what it prints must be accepted and print the same.
 */
#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "config/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { VARIABLES_MAX = 16, PRINT_MAX_BYTES = 1 << 22 };

/* Without the comments, which tell where a value came from: that differs. No value of ours holds " # ". */
static void print_values(const struct settings *s, struct buf *out)
{
    CLEANUP(buf_done_p) struct buf whole = {0};
    struct str rest;
    struct str line;

    buf_init(&whole, PRINT_MAX_BYTES);
    MUST(settings_print(s, &whole, NULL) == ERR_NONE);
    rest = buf_str(&whole);
    while (str_cut(&rest, '\n', &line)) {
        const char *comment = line.n ? memrchr(line.p, '#', line.n) : NULL;

        buf_add(out, comment ? (struct str){line.p, (size_t)(comment - line.p)} : line);
        buf_add_char(out, '\n');
    }
    MUST(buf_ok(out));
}

static void check_printed(const struct settings *s)
{
    CLEANUP(settings_free_p) struct settings *again = NULL;
    CLEANUP(buf_done_p) struct buf yaml = {0};
    CLEANUP(buf_done_p) struct buf before = {0};
    CLEANUP(buf_done_p) struct buf after = {0};
    struct error_list faults;

    buf_init(&yaml, PRINT_MAX_BYTES);
    buf_init(&before, PRINT_MAX_BYTES);
    buf_init(&after, PRINT_MAX_BYTES);
    MUST(settings_print(s, &yaml, NULL) == ERR_NONE);
    MUST(settings_parse(buf_str(&yaml), "printed", NULL, &again, &faults) == ERR_NONE);
    print_values(s, &before);
    print_values(again, &after);
    MUST(str_eq(buf_str(&before), buf_str(&after)));
}

/* Cuts `text` into at most VARIABLES_MAX lines in place. */
static void cut_lines(char *text, const char *ret[VARIABLES_MAX + 1])
{
    size_t n = 0;

    while (text && n < VARIABLES_MAX) {
        char *end = strchr(text, '\n');

        ret[n++] = text;
        if (end)
            *end++ = '\0';
        text = end;
    }
    ret[n] = NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct str rest = {(const char *)data, n};
    struct str yaml = {0};
    char *text = NULL;
    const char *env[VARIABLES_MAX + 1];
    struct settings *s = NULL;
    struct error_list faults;

    (void)str_cut(&rest, '\0', &yaml);
    MUST(alloc_str(rest, &text, NULL) == ERR_NONE);
    cut_lines(text, env);
    if (settings_parse(yaml, "fuzz.yaml", env, &s, &faults) == ERR_NONE)
        check_printed(s);
    else
        MUST(faults.n > 0 && faults.items[0].text[0] != '\0');
    settings_free(s);
    alloc_free(text);
    return 0;
}
