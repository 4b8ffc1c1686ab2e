/*
 * webhook_secret.h: a secret of Standard Webhooks, as settings hold it: "whsec_" and base64 of 24 to 64
 * bytes. Pure. What is wrong is said without a byte of it.
 */
#ifndef BASE_WEBHOOK_SECRET_H
#define BASE_WEBHOOK_SECRET_H

#include "base/base.h"
#include "base/error.h"

enum { WEBHOOK_SECRET_MIN = 24, WEBHOOK_SECRET_MAX = 64 };

struct webhook_secret {
    uint8_t key[WEBHOOK_SECRET_MAX];
    size_t n;
};

CHECKED enum err webhook_secret_read(struct str text, struct webhook_secret *ret, struct error *err);

#endif
