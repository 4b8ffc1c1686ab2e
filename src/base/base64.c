/*
 * base64.c: see base64.h.
 */
#include "base/base64.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_add(struct buf *out, const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i += 3) {
        size_t left = n - i;
        uint32_t v = (uint32_t)bytes[i] << 16;

        if (left > 1)
            v |= (uint32_t)bytes[i + 1] << 8;
        if (left > 2)
            v |= bytes[i + 2];
        buf_add_char(out, alphabet[v >> 18]);
        buf_add_char(out, alphabet[v >> 12 & 63]);
        buf_add_char(out, left > 1 ? alphabet[v >> 6 & 63] : '=');
        buf_add_char(out, left > 2 ? alphabet[v & 63] : '=');
    }
}

static int value_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Four characters to so many bytes; 0: they are none. Only the last four of a text may be padded. */
static size_t read_four(const char *p, bool last, uint8_t ret[3])
{
    size_t n = !last || p[3] != '=' ? 3 : p[2] != '=' ? 2 : 1;
    uint32_t v = 0;

    for (size_t i = 0; i < 4; i++) {
        int digit = i <= n ? value_of(p[i]) : 0;

        if (digit < 0)
            return 0;
        v = v << 6 | (uint32_t)digit;
    }
    if ((n == 2 && (v & 0xff) != 0) || (n == 1 && (v & 0xffff) != 0))
        return 0;
    ret[0] = (uint8_t)(v >> 16);
    ret[1] = (uint8_t)(v >> 8);
    ret[2] = (uint8_t)v;
    return n;
}

bool base64_read(struct str text, uint8_t *ret, size_t max, size_t *ret_n)
{
    size_t at = 0;

    if (text.n % 4 != 0)
        return false;
    for (size_t i = 0; i < text.n; i += 4) {
        uint8_t three[3];
        size_t n = read_four(text.p + i, i + 4 == text.n, three);

        if (n == 0 || n > max - at)
            return false;
        for (size_t k = 0; k < n; k++)
            ret[at++] = three[k];
    }
    *ret_n = at;
    return true;
}
