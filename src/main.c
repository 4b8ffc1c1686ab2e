/*
 * main.c: what must be before anything else, then the command line.
 */
#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include "api/api.h"
#include "base/json.h"
#include "cli/cli.h"
#include "wiring.h"

/*
 * Clients and targets take a descriptor each, and the usual soft limit of 1,024 is there for select(), which
 * nothing here calls. What cannot be raised stays.
 */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

int main(int argc, char **argv)
{
    const struct cli_host host = {
        .version = CARILLON_VERSION,
        .graphql_schema = api_graphql_schema(),
        .env = (const char *const *)environ,
        .serve = wiring_serve,
        .export_to = wiring_export,
        .import_from = wiring_import,
        .doctor = wiring_doctor,
    };

    /*
     * glibc gives every thread an arena of its own, which never shrinks: with a handful of threads that hand
     * their memory to each other, two serve as well and keep an idle process small.
     */
    (void)mallopt(M_ARENA_MAX, 2);
    raise_descriptor_limit();
    json_setup();
    return cli_main(&host, argc, argv);
}
