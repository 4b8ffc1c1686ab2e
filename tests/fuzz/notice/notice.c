/* notice.c: what arrives by NOTIFY: any text is read to something, and what was read is written and read as
 * the same again. */
#include "base/str.h"
#include "store/postgres/notify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_again(const struct notice *n, struct uuid sender)
{
    CLEANUP(buf_done_p) struct buf text = {0};
    struct uuid sender_again;
    struct notice again;

    buf_init(&text, NOTICE_TEXT_MAX);
    MUST(notice_encode(n, sender, &text, NULL) == ERR_NONE);
    MUST(text.n <= NOTICE_TEXT_MAX);
    MUST(notice_decode(buf_str(&text), &sender_again, &again, NULL) == ERR_NONE);
    MUST(uuid_eq(sender, sender_again) && again.earliest.us == n->earliest.us);
    MUST(again.all || again.changed.n == n->changed.n);
    for (size_t i = 0; i < again.changed.n; i++)
        MUST(uuid_eq(again.changed.items[i].schedule_id, n->changed.items[i].schedule_id) &&
             again.changed.items[i].version == n->changed.items[i].version);
    change_list_done(&again.changed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size};
    struct uuid sender;
    struct notice n;

    MUST(notice_decode(text, &sender, &n, NULL) == ERR_NONE);
    if (!uuid_is_nil(sender))
        read_again(&n, sender);
    change_list_done(&n.changed);
    return 0;
}
