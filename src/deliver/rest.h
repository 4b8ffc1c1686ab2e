/*
 * rest.h: HTTP attempts over libcurl's multi interface: keep-alive, HTTP/2, the system's CA store, no
 * redirects.
 *
 * Proxies named by the environment (http_proxy and the like) are not used: where a request goes is said by
 * its schedule alone. The answer's body is thrown away. task.timeout counts from the moment the attempt has a
 * place on the wire (options.per_host_max, connections_max); waiting for one is not the target's fault.
 */
#ifndef DELIVER_REST_H
#define DELIVER_REST_H

#include "deliver/deliver.h"

/* Once per process, called by deliver_setup(): libcurl's memory comes from base/alloc. */
CHECKED enum err rest_setup(struct error *err);
void rest_teardown(void);

CHECKED enum err rest_open(struct reactor *reactor, const struct deliver_options *options,
                           struct deliverer **ret, struct error *err);

#endif
