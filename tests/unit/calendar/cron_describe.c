/* cron_describe.c: sentences as users read them, in both languages. */
#include "calendar/cron.h"

#include "calendar_test.h"

/* expression, English, Korean */
static const char *const SENTENCES[][3] = {
    {"30 * * * * *", "At 30 seconds past every minute", "매분 30초에"},
    {"* * * * *", "Every minute", "매분"},
    {"*/5 * * * *", "Every 5 minutes", "5분마다"},
    {"*/7 * * * *", "Every 7 minutes from minute 0 to 59 of every hour", "매시간 0분부터 59분까지 7분마다"},
    {"0 * * * *", "At 0 minutes past every hour", "매시간 정각에"},
    {"30 * * * *", "At 30 minutes past every hour", "매시간 30분에"},
    {"15 30 * * * *", "At 30 minutes and 15 seconds past every hour", "매시간 30분 15초에"},
    {"30 2 * * *", "At 02:30 every day", "매일 02:30에"},
    {"0 9,12,18 * * *", "At 09:00, 12:00 and 18:00 every day", "매일 09:00, 12:00, 18:00에"},
    {"0 9-17 * * 1-5", "At 0 minutes past every hour from 9 to 17, on Monday to Friday",
     "월요일~금요일 9시~17시의 매시간 정각에"},
    {"*/5 9-17 * * 1-5", "Every 5 minutes during every hour from 9 to 17, on Monday to Friday",
     "월요일~금요일 9시~17시에 5분마다"},
    {"*/5 9 * * *", "Every 5 minutes during hour 9", "9시에 5분마다"},
    {"0 */2 * * *", "At 0 minutes past every 2nd hour", "2시간마다 정각에"},
    {"*/10 */2 * * *", "Every 10 minutes during every 2nd hour", "2시간마다 1시간 동안 10분마다"},
    {"* * * * * *", "Every second", "매초"},
    {"*/10 * * * * *", "Every 10 seconds", "10초마다"},
    {"*/10 * 9 * * *", "Every 10 seconds during hour 9", "9시에 10초마다"},
    {"* 30 * * * *", "Every second during minute 30 of every hour", "매시간 30분에 매초"},
    {"* 30 3 * * *", "Every second during minute 30 of hour 3", "3시 30분에 매초"},
    {"5,10,20-30 * * * *", "At minutes 5, 10 and 20 to 30 of every hour", "매시간 5분, 10분, 20분~30분에"},
    {"7/10 * * * *", "Every 10 minutes from minute 7 to 59 of every hour",
     "매시간 7분부터 59분까지 10분마다"},
    {"10-50/10 3 * * *", "Every 10 minutes from minute 10 to 50 of hour 3",
     "3시에 10분부터 50분까지 10분마다"},
    {"30 */5 * * * *", "At 30 seconds past every 5th minute", "5분마다 30초에"},
    {"*/10 */5 * * * *", "Every 10 seconds during every 5th minute", "5분마다 1분 동안 10초마다"},
    {"*/10 */7 9,12,14-16 * * *",
     "Every 10 seconds during every 7th minute from 0 to 59 of hours 9, 12 and 14 to 16",
     "9시, 12시, 14시~16시에 0분부터 59분까지 7분마다 1분 동안 10초마다"},
    {"0 0 1 1 *", "At 00:00, on day 1 of the month, in January", "1월 1일 00:00에"},
    {"0 0 L * *", "At 00:00, on the last day of the month", "매월 마지막 날 00:00에"},
    {"0 0 L-3,15W,LW * *",
     "At 00:00, on the day 3 days before the last, the working day nearest to day 15 and the last working "
     "day of the month",
     "매월 마지막 날 3일 전, 15일에 가장 가까운 평일, 마지막 평일 00:00에"},
    {"0 0 13 * fri", "At 00:00, on day 13 of the month or on Friday", "매월 13일 또는 금요일 00:00에"},
    {"0 0 */2 * mon", "At 00:00, on every 2nd day of the month if it is Monday",
     "매월 1일부터 2일마다 중 월요일 00:00에"},
    {"0 0 * jan-mar,12 5L,fri#2",
     "At 00:00, on the last Friday of the month and the second Friday of the month, in January to March and "
     "December",
     "1월~3월, 12월 마지막 금요일, 둘째 금요일 00:00에"},
    {"0 0 * */3 */2",
     "At 00:00, on Sunday, Tuesday, Thursday and Saturday, in January, April, July and October",
     "1월, 4월, 7월, 10월 일요일, 화요일, 목요일, 토요일 00:00에"},
    {"0 0 1-5,10/5 6 *", "At 00:00, on days 1 to 5 and every 5th day from day 10 to 31 of the month, in June",
     "6월 1일~5일, 10일부터 5일마다 00:00에"},
    {"H H * * *", "At 12:28 every day", "매일 12:28에"},
    {"H/15 * * * *", "Every 15 minutes from minute 13 to 59 of every hour",
     "매시간 13분부터 59분까지 15분마다"},
    {"30 9,10,11,12,13,14,15 * * *", "At 30 minutes past hours 9, 10, 11, 12, 13, 14 and 15",
     "9시, 10시, 11시, 12시, 13시, 14시, 15시의 매시간 30분에"},
    {"0 0 * 6 *", "At 00:00 every day, in June", "6월 매일 00:00에"},
    {"1 1 * * * *", "At 1 minute and 1 second past every hour", "매시간 1분 1초에"},
};

static void describe(const char *text, enum cron_lang lang, struct buf *out)
{
    struct cron *c = NULL;
    struct error err;

    if (cron_parse(str_of(text), 1, &c, &err) != ERR_NONE)
        fail_msg("%s: %s", text, err.text);
    buf_clear(out);
    cron_describe(c, lang, out);
    cron_free(c);
}

static void an_expression_is_a_sentence_in_both_languages(void **state)
{
    CLEANUP(buf_done_p) struct buf out;

    (void)state;
    buf_init(&out, 1024);
    for (size_t i = 0; i < COUNT_OF(SENTENCES); i++) {
        describe(SENTENCES[i][0], CRON_EN, &out);
        assert_string_equal(buf_cstr(&out), SENTENCES[i][1]);
        describe(SENTENCES[i][0], CRON_KO, &out);
        assert_string_equal(buf_cstr(&out), SENTENCES[i][2]);
        assert_true(str_is_utf8(buf_str(&out)));
    }
}

static void a_sentence_too_long_for_its_buffer_is_a_failure_of_the_buffer(void **state)
{
    CLEANUP(buf_done_p) struct buf out;

    (void)state;
    buf_init(&out, 16);
    describe("5,10,20-30 * * * *", CRON_EN, &out);
    assert_false(buf_ok(&out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_expression_is_a_sentence_in_both_languages),
        cmocka_unit_test(a_sentence_too_long_for_its_buffer_is_a_failure_of_the_buffer),
    };

    return cmocka_run_group_tests_name("calendar/cron_describe", tests, NULL, NULL);
}
