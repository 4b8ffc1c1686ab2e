/*
 * redis_server.h: two servers for tests: Debian's redis-server on a port of its own, asked over a plain
 * socket that shares nothing with the deliverer; and one that lies, driven by the test's reactor.
 */
#ifndef TESTS_REDIS_SERVER_H
#define TESTS_REDIS_SERVER_H

#include "base/base.h"
#include "poll_reactor.h"

struct redis_server;

/* NULL: there is no redis-server on this machine. `password`: requirepass, or NULL. */
struct redis_server *redis_server_start(const char *password);
void redis_server_stop(struct redis_server *s);
int redis_server_port(const struct redis_server *s);
/* kill -9, and a new one on the same port. */
void redis_server_kill(struct redis_server *s);
void redis_server_restart(struct redis_server *s);
/* The raw reply to an inline command ("LRANGE k 0 -1"); valid until the next one. */
const char *redis_server_ask(struct redis_server *s, const char *command);

/* Reads what comes and answers as it is told. */
struct liar;
struct liar *liar_start(struct poll_reactor *reactor);
void liar_stop(struct liar *l);
int liar_port(const struct liar *l);
/* Sent once after each command that is read (counted by its '*'); NULL: nothing. */
void liar_answers(struct liar *l, const char *text);
/* Sent on accept. */
void liar_greets(struct liar *l, const char *text);
/* The connection is closed after so many commands; 0: never. */
void liar_closes_after(struct liar *l, size_t commands);
void liar_accepts(struct liar *l, bool yes);
size_t liar_connections(const struct liar *l); /* accepted so far */
size_t liar_commands(const struct liar *l);
const char *liar_heard(const struct liar *l); /* the first KiB of all that came */

#endif
