/*
 * listen.h: from "127.0.0.1:9902" to a socket that listens.
 */
#ifndef API_LISTEN_H
#define API_LISTEN_H

#include "base/base.h"
#include "base/error.h"

enum { LISTEN_HOST_MAX = 256 };

/*
 * "host:port", "[v6 address]:port", ":port" (every address). ERR_INVALID otherwise. `ret_host` is "" for
 * every one.
 */
CHECKED enum err listen_parse(struct str text, char ret_host[LISTEN_HOST_MAX], char ret_port[8],
                              struct error *err);
/* Binds and listens; *ret_port is the port really bound. ERR_CONFLICT: the address is in use. */
CHECKED enum err listen_open(const char *text, int *ret_fd, unsigned *ret_port, struct error *err);

#endif
