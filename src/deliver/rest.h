/*
 * rest.h: HTTP attempts over libcurl's multi interface: keep-alive, HTTP/2, the system's CA store, no redirects.
 */
#ifndef DELIVER_REST_H
#define DELIVER_REST_H

#include "deliver/deliver.h"

CHECKED enum err rest_open(struct reactor *reactor, const struct deliver_options *options, struct deliverer **ret,
                           struct error *err);

#endif
