/*
 * secret.c: a hidden value and an answer, a line apart: whatever they are, the value is not left in the
 * answer, neither as it is nor as a URL or JSON has it.
 */
#include "model/secret.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { TEXT_MAX = 1 << 20 };

static void hide(struct str value, struct str text, bool cut, struct buf *out)
{
    json_t *headers = json_object();
    const struct schedule s = {.task = {.type = TASK_REST, .host = STR("http://h/"), .headers = headers}};
    enum err e;

    MUST(headers && json_object_set_new(headers, "Authorization", json_stringn(value.p, value.n)) == 0);
    buf_clear(out);
    e = secret_hide(&s, NULL, text, cut, out, NULL);
    MUST(e == ERR_NONE || e == ERR_TOO_LARGE);
    if (e)
        buf_clear(out);
    json_decref(headers);
}

/* In an answer between what is the fuzzer's, behind what ends any escape. */
static void check_planted(struct str value, struct str text, struct str written)
{
    CLEANUP(buf_done_p) struct buf whole = {0};
    CLEANUP(buf_done_p) struct buf shown = {0};

    buf_init(&whole, TEXT_MAX);
    buf_init(&shown, 4L * TEXT_MAX);
    buf_add(&whole, text);
    buf_add_cstr(&whole, "(|)");
    buf_add(&whole, written);
    buf_add_cstr(&whole, "(|)");
    buf_add(&whole, text);
    if (!buf_ok(&whole))
        return;
    hide(value, buf_str(&whole), false, &shown);
    MUST(!str_contains(buf_str(&shown), written));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct str text = {(const char *)data, n};
    CLEANUP(buf_done_p) struct buf written = {0};
    CLEANUP(buf_done_p) struct buf out = {0};
    struct str value;

    if (!str_cut(&text, '\n', &value) || !text.p || value.n == 0 || !str_is_utf8(value))
        return 0;
    buf_init(&out, 4L * TEXT_MAX);
    buf_init(&written, TEXT_MAX);
    hide(value, text, true, &out);
    hide(value, text, false, &out);
    /* What a mask is made of may be left in one. */
    if (str_find(value, '*') < value.n)
        return 0;
    MUST(!str_contains(buf_str(&out), value));
    check_planted(value, text, value);
    for (size_t i = 0; i < value.n; i++)
        buf_addf(&written, "%%%02x", (unsigned char)value.p[i]);
    check_planted(value, text, buf_str(&written));
    buf_clear(&written);
    for (size_t i = 0; i < value.n; i++) {
        if ((unsigned char)value.p[i] >= 0x80)
            return 0;
        buf_addf(&written, "\\u%04x", (unsigned char)value.p[i]);
    }
    check_planted(value, text, buf_str(&written));
    return 0;
}
