/* line.c: a line of an export: any bytes are read or refused, and what was read is written and read as the
 * same again. */
#include "move/line.h"
#include "base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_line(const struct line *l, struct buf *out)
{
    CLEANUP(buf_done_p) struct buf definition = {0};

    buf_init(out, 64 << 20);
    buf_init(&definition, 64 << 20);
    if (l->kind == LINE_RUN) {
        line_run(out, &l->run);
    } else {
        MUST(json_write(l->definition, &definition, NULL) == ERR_NONE);
        line_schedule(out, &l->record, buf_str(&definition));
    }
    MUST(buf_ok(out));
}

static void read_again(const struct line *l)
{
    CLEANUP(buf_done_p) struct buf first = {0};
    CLEANUP(buf_done_p) struct buf second = {0};
    struct line again = {0};

    write_line(l, &first);
    MUST(line_read(buf_str(&first), &again, NULL) == ERR_NONE);
    MUST(again.kind == l->kind);
    write_line(&again, &second);
    MUST(str_eq(buf_str(&first), buf_str(&second)));
    line_done(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct line l = {0};
    struct error err = {0};

    if (line_read((struct str){(const char *)data, size}, &l, &err)) {
        MUST(err.code != ERR_NONE && err.text[0] != '\0');
        return 0;
    }
    if (l.kind == LINE_SCHEDULE || l.kind == LINE_RUN)
        read_again(&l);
    line_done(&l);
    return 0;
}
