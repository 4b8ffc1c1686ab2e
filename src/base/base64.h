/*
 * base64.h: bytes as text, RFC 4648, 4: the usual alphabet, padded. Pure.
 */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include "base/base.h"
#include "base/buf.h"

void base64_add(struct buf *out, const uint8_t *bytes, size_t n);
/*
 * Strict: padding where it belongs, nothing else in between, no bits beyond the last byte. False also when
 * more than `max` bytes would come out; *ret_n is what did.
 */
CHECKED bool base64_read(struct str text, uint8_t *ret, size_t max, size_t *ret_n);

#endif
