/*
 * wiring_doctor.c: carillon doctor, and what a running instance tells at /admin/doctor: one table of checks,
 * given what each of the two has at hand.
 */
#include <signal.h>

#include "base/alloc.h"
#include "deliver/guard.h"
#include "store/sqlite/sqlite.h"
#include "wiring.h"

static int status_of(const struct report *r)
{
    if (r->verdict == VERDICT_FAILURE)
        return EXIT_FAILED;
    return r->verdict == VERDICT_WARNING ? EXIT_WARNED : EXIT_OK;
}

int wiring_doctor(const struct cli_host *host, const struct cli_doctor *what, struct buf *out)
{
    struct doctor_options options = {
        .settings = what->settings,
        .faults = what->faults,
        .version = host->version,
        .zoneinfo = cli_zoneinfo(),
        .deep = what->deep,
    };
    struct report *report = alloc_new(struct report);
    struct error_list faults = {0};
    struct doctor *d;
    int status;

    MUST(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
    if (sqlite_setup(&faults.items[0]) ||
        (what->settings && wiring_guard_new(what->settings, &options.guard, &faults.items[0]))) {
        /* Well-formed, but nothing to work with: as `serve` would find. */
        faults.n = 1;
        options.settings = NULL;
        options.faults = &faults;
    }
    d = doctor_new(&options);
    doctor_examine(d, report);
    if (what->json) {
        report_print_json(report, out);
        buf_add_char(out, '\n');
    } else {
        report_print(report, out);
    }
    status = status_of(report);
    alloc_free(report);
    /* A database that does not answer is not waited for: the process ends. */
    if (!doctor_hangs(d)) {
        doctor_free(d);
        guard_unref(options.guard);
    }
    return status;
}

void wiring_doctor_report(const struct doctor_options *options, struct doctor **left, struct buf *out)
{
    struct report *report = alloc_new(struct report);
    struct doctor *d = doctor_new(options);

    /* That of the examination before, when the database did not answer it. */
    doctor_free(TAKE(*left));
    doctor_examine(d, report);
    report_print_json(report, out);
    alloc_free(report);
    if (doctor_hangs(d))
        *left = d;
    else
        doctor_free(d);
}
