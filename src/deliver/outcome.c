/*
 * outcome.c: see outcome.h.
 */
#include "deliver/outcome.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/str.h"

void outcome_clear(struct delivery *d)
{
    d->result = (struct attempt_result){.retry_after_us = -1};
}

void outcome_error(struct delivery *d, const char *text)
{
    struct attempt_result *r = &d->result;
    struct str s = str_of(text);
    size_t n = 0;

    r->ok = false;
    while (s.n > 0) {
        size_t width = str_utf8_char(s);
        bool plain = width > 1 || (width == 1 && (unsigned char)s.p[0] >= 0x20 && s.p[0] != 0x7f);
        size_t step = width > 0 ? width : 1;

        if (n + step >= sizeof(r->error))
            break;
        if (plain)
            memcpy(r->error + n, s.p, step);
        else
            memset(r->error + n, '?', step);
        n += step;
        s = (struct str){s.p + step, s.n - step};
    }
    r->error[n] = '\0';
}

void outcome_not_sent(struct delivery *d, const char *text)
{
    outcome_error(d, text);
    d->result.not_sent = true;
    d->result.status = 0;
    d->result.retry_after_us = -1;
}

bool outcome_is_want(int number)
{
    return number == EMFILE || number == ENFILE || number == ENOBUFS || number == ENOMEM;
}

bool outcome_lacks_descriptors(void)
{
    int fd = eventfd(0, EFD_CLOEXEC);

    if (fd < 0)
        return outcome_is_want(errno);
    (void)close(fd);
    return false;
}

void outcome_hide(char *text, struct str secret)
{
    size_t left = strlen(text);
    char *found;

    if (secret.n == 0)
        return;
    while ((found = memmem(text, left, secret.p, secret.n)) != NULL) {
        memset(found, '*', secret.n);
        left -= (size_t)(found - text) + secret.n;
        text = found + secret.n;
    }
}
