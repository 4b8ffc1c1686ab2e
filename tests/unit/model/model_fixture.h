/*
 * model_fixture.h: definitions in few words, for the tests of the model room.
 */
#ifndef TEST_MODEL_FIXTURE_H
#define TEST_MODEL_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/base.h"
#include "base/json.h"
#include "model/schedule.h"
#include "model/timer.h"

/* Group setup and teardown: hooks jansson's memory and opens the system's zones. */
int fixture_setup(void **state);
int fixture_teardown(void **state);

/* All task types enabled, Asia/Seoul, a secret "hook", a hidden header "x-hidden"; a value to be changed
 * freely. */
struct schedule_rules fixture_rules(void);

json_t *fixture_json(const char *text);
/* Decodes by `rules`; the tree is given up. */
enum err fixture_decode(const char *text, const struct schedule_rules *rules, const struct schedule *prior,
                        struct schedule **ret, struct error_list *faults);
/* What must decode: prints the faults and fails otherwise. */
struct schedule *fixture_schedule(const char *text);
/* The same from the members beside name and a plain rest task: "\"type\":\"now\"". */
struct schedule *fixture_with(const char *members);
/* The same from members of the task beside type and connection; a `now`. */
struct schedule *fixture_task(const char *members);

/* "2030-01-31T09:00:00Z" */
struct wall at(const char *iso);
void assert_wall_equal(struct wall a, struct wall b);
void assert_str_equal(struct str a, const char *b);
char *fixture_text(const json_t *v); /* sorted; to be freed with alloc_free() */

#endif
