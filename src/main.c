/*
 * main.c: what must be before anything else, then the command line.
 */
#include <malloc.h>
#include <unistd.h>

#include "base/json.h"
#include "cli/cli.h"
#include "wiring.h"

int main(int argc, char **argv)
{
    const struct cli_host host = {
        .version = CARILLON_VERSION,
        .env = (const char *const *)environ,
        .serve = wiring_serve,
    };

    /*
     * glibc gives every thread an arena of its own, which never shrinks: with a handful of threads that hand
     * their memory to each other, two serve as well and keep an idle process small.
     */
    (void)mallopt(M_ARENA_MAX, 2);
    json_setup();
    return cli_main(&host, argc, argv);
}
