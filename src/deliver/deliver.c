/*
 * deliver.c: the table of deliverers and what their libraries need once per process.
 */
#include "deliver/deliver.h"

#include <signal.h>

#include "deliver/kafka.h"
#include "deliver/redis.h"
#include "deliver/rest.h"

const struct deliver_kind deliver_kinds[] = {
    {TASK_REST, rest_open},
    {TASK_KAFKA, kafka_open},
    {TASK_REDIS, redis_open},
};
const size_t deliver_kinds_n = COUNT_OF(deliver_kinds);

/*
 * Libraries that write to sockets through TLS cannot pass MSG_NOSIGNAL, so a peer that went away would raise
 * SIGPIPE and end the process. A handler that somebody else set is left alone.
 */
static enum err ignore_sigpipe(struct error *err)
{
    struct sigaction now;

    if (sigaction(SIGPIPE, NULL, &now) != 0)
        return error_errno(err, "SIGPIPE", "cannot read the signal's handler");
    if ((now.sa_flags & SA_SIGINFO) != 0 || now.sa_handler != SIG_DFL)
        return ERR_NONE;
    now = (struct sigaction){.sa_handler = SIG_IGN};
    if (sigaction(SIGPIPE, &now, NULL) != 0)
        return error_errno(err, "SIGPIPE", "cannot ignore the signal");
    return ERR_NONE;
}

enum err deliver_setup(struct error *err)
{
    enum err e = ignore_sigpipe(err);

    if (e)
        return e;
    return rest_setup(err);
}

void deliver_teardown(void)
{
    rest_teardown();
}
