/*
 * once_answer.c: see once_answer.h. The text: status, content type and headers, a line each, then an empty
 * line and the body.
 */
#include "api/once_answer.h"

#include <string.h>

#include "base/str.h"

/* What is kept of an answer too large to be kept. */
#define TOO_LARGE_TEXT "0\n"

static void write_answer(const struct answer *a, struct buf *out)
{
    buf_addf(out, "%u\n%s\n", a->status, a->content_type ? a->content_type : "");
    for (size_t i = 0; i < a->headers_n; i++)
        buf_addf(out, "%s: %s\n", a->headers[i].name, a->headers[i].text);
    buf_add_char(out, '\n');
    buf_add(out, buf_str(&a->body));
}

void once_answer_write(const struct answer *a, struct buf *out)
{
    write_answer(a, out);
    if (out->failed == ERR_TOO_LARGE) {
        buf_clear(out);
        buf_add_cstr(out, TOO_LARGE_TEXT);
    }
}

/* Names that answers have; what is kept tells them as text. */
static const char *header_name(struct str name)
{
    static const char *const names[] = {"ETag", "Location"};

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (str_eq(name, str_of(names[i])))
            return names[i];
    }
    return NULL;
}

static void give_header(struct request *r, struct str line)
{
    size_t colon = str_find(line, ':');
    const char *name = header_name((struct str){line.p, colon});
    char text[ANSWER_HEADER_TEXT];

    if (!name || line.n < colon + 2 || line.n - colon - 2 >= sizeof(text))
        return;
    memcpy(text, line.p + colon + 2, line.n - colon - 2);
    text[line.n - colon - 2] = '\0';
    answer_header(r, name, text);
}

void once_answer_give(struct request *r, struct str kept)
{
    struct str status;
    struct str type;
    struct str line;
    struct str head;
    int64_t number;

    if (!str_cut(&kept, '\n', &status) || !str_to_i64(status, &number) || number == 0 ||
        !str_cut(&kept, '\n', &type)) {
        answer_problem(
            r, PROBLEM_CONFLICT,
            "it was done when it first came with this Idempotency-Key; its answer was too large to "
            "be kept");
        return;
    }
    head = kept;
    while (str_cut(&kept, '\n', &line) && line.n > 0)
        ;
    buf_add(answer_body(r), kept);
    if (str_eq(type, STR(PROBLEM_TYPE)))
        answer_text(r, (unsigned)number, PROBLEM_TYPE);
    else if (type.n > 0)
        answer_json(r, (unsigned)number);
    else
        answer_empty(r, (unsigned)number);
    if (r->answer.status != (unsigned)number)
        return; /* no memory for it */
    while (str_cut(&head, '\n', &line) && line.n > 0)
        give_header(r, line);
    answer_header(r, "Idempotent-Replayed", "true");
}
