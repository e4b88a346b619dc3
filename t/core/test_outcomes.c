/* test_outcomes: cut after every octet, what is reported of every recipient is what the server has made of him. */
#include "outcome_caller.h"
#include "tap.h"

/* What ends a dialogue before its time. */
enum ending { SERVER_CLOSES, LINE_BREAKS, DEADLINE_PASSES, SERVER_SAYS_421, SERVER_SAYS_250, ENDING_COUNT };

static const char *const orders[] = {"SRW", "WSR", "RWS", "?"};

static unsigned long cuts;
static unsigned long reports[SMTPC_OUTCOME_UNKNOWN + 1];
static unsigned long step_of_cuts = 4;    /* in each order; the next order begins at the next octet */
static unsigned long first_cut;

static int
is_out(const struct run *run)
{
    int first = is_stream(run->dialogue) ? 0 : run->message;
    int i;

    for (i = first; i >= 0 && i <= run->message; i++)
        if (run->ideal.has_ended[i] || (is_stream(run->dialogue) && run->ideal.has_come[i]))
            return 1;
    return 0;
}

/* 250 where it is the answer to the message would be a lie that nobody can see through. */
static void
cut(struct run *run, enum ending ending)
{
    struct smtpc_error error = {0};

    smtpc_error_set(&error, ending == LINE_BREAKS ? SMTPC_ERROR_CLOSED : SMTPC_ERROR_TIMEOUT, "cut");
    if (ending == LINE_BREAKS || ending == DEADLINE_PASSES) {
        smtpc_session_fail(run->session, &error);
        return;
    }
    if (ending != SERVER_CLOSES)
        server_go(&run->server, ending == SERVER_SAYS_421 || is_out(run) ? 421 : 250);
    while (ending != SERVER_CLOSES && move_in(run))
        ;
    smtpc_session_feed(run->session, NULL, 0);
}

/* Another message that is begun now has not been sent, and knows nothing of the last. */
static void
check_another(struct run *run)
{
    if (smtpc_session_open_envelope(run->session, "z@x", 3, "") == 0)
        fault(run, "a message begins when all is over");
    if (smtpc_session_error(run->session)->may_have_been_sent)
        fault(run, "may_have_been_sent is told of another message");
    if (smtpc_session_envelope(run->session)->count > 0)
        fault(run, "outcomes are told of another message");
}

/* Whether what had left before the cut still arrives or not, the report must be true. */
static void
judge(struct run *run)
{
    if (smtpc_session_wants(run->session) != SMTPC_WANT_CLOSED)
        fault(run, "not closed");
    if (is_stream(run->dialogue)) {
        check_finished(run);
        if (run->told != run->message + 1)
            fault(run, "a message was not told of");
        smtpc_session_set_window(run->session, 0);
    } else if (run->message >= 0)
        check_last_message(run);
    check_another(run);
    check_truth(run);
    while (move_to_server(run))
        ;
    check_truth(run);
}

static int
run_and_cut(const struct mailing *dialogue, const char *order, unsigned long octets, enum ending ending)
{
    struct run run;
    unsigned long moved;
    int good, i;

    start(&run, dialogue, order, (uint32_t)octets);
    moved = run_for(&run, octets);
    cut(&run, ending);
    judge(&run);
    good = run.fault == NULL;
    if (!good)
        printf("# %s: after %lu octets in order %s, ending %d\n", run.fault, moved, order, (int)ending);
    for (i = 0; i <= SMTPC_OUTCOME_UNKNOWN; i++)
        reports[i] += run.reports[i];
    smtpc_session_free(run.session);
    cuts++;
    return good ? moved == octets : -1;
}

/* 0 when a cut was reported wrongly. */
static int
is_true_everywhere(const struct mailing *dialogue)
{
    size_t order;

    for (order = 0; order < sizeof orders / sizeof orders[0]; order++) {
        int going = 1;
        unsigned long octets = first_cut++ % step_of_cuts;

        for (; going > 0; octets += step_of_cuts)
            going = run_and_cut(dialogue, orders[order], octets,
                                (enum ending)((octets + order) % ENDING_COUNT));
        if (going < 0)
            return 0;
    }
    first_cut++;
    return 1;
}

/* ---- dialogues ---- */

static const int rcpt_codes[] = {250, 550, 450};

/* Recipients by number: the digits in base 3 are their answers. */
static struct server_plan
plan_of(int count, int number, int mail, int data, int end)
{
    static const int other_ends[] = {451, 250, 554};
    struct server_plan plan = {0};
    int i;

    plan.mail = mail;
    plan.data = data;
    plan.chunk = data == 354 ? 250 : data;
    plan.end = end;
    plan.other_end = other_ends[(number + end) % 3];
    for (i = 0; i < count; i++, number /= 3)
        plan.rcpt[i] = rcpt_codes[number % 3];
    return plan;
}

static int
is_for_nobody(const struct server_plan *plan)
{
    int i = 0;

    while (i < SERVER_RECIPIENTS && plan->rcpt[i] != 250)
        i++;
    return i == SERVER_RECIPIENTS || plan->mail != 250;
}

#define BDAT SMTPC_BY_BDAT
#define AHEAD SMTPC_BY_BDAT_AHEAD

/* Up to DROPPING they are tried with every plan. */
static const struct way ways[] = {
    {"lock-step", LOCK_STEP, 0, 0, 0, 0, 0}, {"pipelined", PIPELINED, 0, 0, 0, 0, 0},
    {"all or none", PIPELINED, 0, 1, 0, 0, 0}, {"command by command", BY_COMMAND, 0, 0, 0, 0, 0},
    {"chunks", BY_CHUNKS, 0, 0, 0, 0, 0}, {"BDAT", PIPELINED, BDAT, 0, 0, 0, 0},
    {"BDAT, all or none", PIPELINED, BDAT, 1, 0, 0, 0}, {"a stream", STREAM, 0, 0, 0, 0, 0},
    {"a stream by BDAT", STREAM, BDAT, 0, 0, 0, 0}, {"a stream, all or none", STREAM, 0, 1, 0, 0, 0},
    {"a stream ahead", STREAM, AHEAD, 0, 0, 0, 0}, {"a stream ahead, all or none", STREAM, AHEAD, 1, 0, 0, 0},
    {"LMTP in lock-step", LOCK_STEP, 0, 0, 1, 0, 0}, {"LMTP", PIPELINED, 0, 0, 1, 0, 0},
    {"LMTP, command by command", BY_COMMAND, 0, 0, 1, 0, 0}, {"LMTP, chunks", BY_CHUNKS, 0, 0, 1, 0, 0},
    {"LMTP by BDAT", PIPELINED, BDAT, 0, 1, 0, 0}, {"LMTP, a stream", STREAM, 0, 0, 1, 0, 0},
    {"LMTP, a stream not told ahead", STREAM, AHEAD, 0, 1, 0, 0},
    {"LMTP, a stream, all or none", STREAM, BDAT, 1, 1, 0, 0},
    {"dropped", PIPELINED, 0, 0, 0, 1, 0}, {"dropped, BDAT", PIPELINED, BDAT, 0, 0, 1, 0},
    {"dropped, a stream", STREAM, 0, 0, 0, 1, 0}, {"dropped, a stream by BDAT", STREAM, BDAT, 0, 0, 1, 0},
    {"dropped, a stream ahead", STREAM, AHEAD, 0, 0, 1, 0},
    {"dropped, a stream ahead, all or none", STREAM, AHEAD, 1, 0, 1, 0},
    {"dropped, LMTP, a stream by BDAT", STREAM, BDAT, 0, 1, 1, 0},
    {"early", STREAM, 0, 0, 0, 0, 1}, {"early, all or none", STREAM, 0, 1, 0, 0, 1},
    {"early, BDAT", STREAM, BDAT, 0, 0, 0, 1}, {"early, ahead", STREAM, AHEAD, 0, 0, 0, 1},
    {"early, ahead, all or none", STREAM, AHEAD, 1, 0, 0, 1}, {"early, LMTP", STREAM, 0, 0, 1, 0, 1},
    {"early, dropped", STREAM, AHEAD, 0, 0, 1, 1}
};
enum { DROPPING = 20, EARLY = 27, WAY_COUNT = sizeof ways / sizeof ways[0] };

static void
try_one(struct mailing *dialogue, const char *what)
{
    const struct server_plan *first = &dialogue->plan[0];

    ok(is_true_everywhere(dialogue), "%s, %s: %d message%s, MAIL %d, RCPT %d %d %d, DATA %d, end %d, 421 at %d, "
       "AUTH %d",
       what, dialogue->way->name, dialogue->messages, dialogue->messages > 1 ? "s" : "", first->mail, first->rcpt[0],
       first->rcpt[1], first->rcpt[2], first->data, first->end, (int)dialogue->farewell, dialogue->auth);
}

/* One message, in each way; where nobody is taken also with a server that does not mind. */
static void
try_plan(const char *what, struct server_plan plan)
{
    struct mailing dialogue = {NULL, 1, {{0}}, 0, 0, 235, 0};
    int way;

    for (way = 0; way < DROPPING; way++) {
        dialogue.way = &ways[way];
        dialogue.plan[0] = plan;
        for (dialogue.is_lax = 0; dialogue.is_lax <= is_for_nobody(&plan); dialogue.is_lax++)
            try_one(&dialogue, dialogue.is_lax ? "a lax server" : what);
    }
}

static void
test_recipients(void)
{
    static const int ends[] = {250, 451, 554};
    static const int powers[] = {1, 3, 9, 27};
    int count, number;

    for (count = 1; count <= 3; count++)
        for (number = 0; number < powers[count]; number++)
            try_plan("recipients", plan_of(count, number, 250, 354, ends[number % 3]));
}

static void
test_answers(void)
{
    static const int codes[][3] = {
        {451, 354, 250}, {550, 354, 250}, {250, 451, 250}, {250, 554, 250}, {250, 250, 250},
        {250, 354, 250}, {250, 354, 451}, {250, 354, 554}, {250, 354, 354}, {250, 354, 650},
    };
    size_t i;

    for (i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        try_plan("answers", plan_of(2, 0, codes[i][0], codes[i][1], codes[i][2]));
        try_plan("answers", plan_of(2, 3, codes[i][0], codes[i][1], codes[i][2]));
    }
}

/* Several messages on one connection: what became of one must not be told of another. */
static void
test_messages(void)
{
    static const int numbers[][3] = {{0, 0, 0}, {4, 4, 4}, {4, 0, 4}, {0, 8, 1}, {1, 3, 0}, {5, 5, 0}};
    static const int answers[][3] = {{250, 354, 250}, {451, 354, 250}, {250, 354, 554}};
    struct mailing dialogue = {NULL, 3, {{0}}, 0, 0, 235, 0};
    size_t i, m;
    int way;

    for (way = 0; way < WAY_COUNT; way++)
        for (i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
            dialogue.way = &ways[way];
            dialogue.messages = i % 2 == 0 ? 2 : 3;
            for (m = 0; m < SERVER_MESSAGES; m++) {
                const int *answer = answers[(i + m) % 3];

                dialogue.plan[m] = plan_of(2, numbers[i][m], answer[0], answer[1], answer[2]);
            }
            try_one(&dialogue, "messages");
        }
}

/* 421 instead of each reply. */
static void
test_farewells(void)
{
    struct mailing dialogue = {NULL, 2, {{0}}, 0, 0, 235, 0};
    int way;

    dialogue.plan[0] = plan_of(3, 3, 250, 354, 250);
    dialogue.plan[1] = plan_of(2, 0, 250, 354, 250);
    for (way = 0; way < WAY_COUNT; way++)
        for (dialogue.farewell = 1; dialogue.farewell <= 14; dialogue.farewell++) {
            dialogue.way = &ways[way];
            try_one(&dialogue, "421");
        }
}

/* What was said behind a login that fails counts for nothing, whatever the server makes of it. */
static void
test_logins(void)
{
    static const int codes[] = {235, 535, 454, 500, 334, 503, 355, 421};
    struct mailing dialogue = {NULL, 2, {{0}}, 0, 0, 0, 0};
    size_t i;
    int way;

    dialogue.plan[0] = plan_of(3, 3, 250, 354, 250);
    dialogue.plan[1] = plan_of(2, 0, 250, 354, 250);
    for (way = EARLY; way < WAY_COUNT; way++)
        for (i = 0; i < sizeof codes / sizeof codes[0]; i++)
            for (dialogue.is_open_to_all = 0; dialogue.is_open_to_all < 2; dialogue.is_open_to_all++) {
                dialogue.way = &ways[way];
                dialogue.auth = codes[i];
                try_one(&dialogue, dialogue.is_open_to_all ? "no login needed" : "login");
            }
}

int
main(void)
{
    int i;

    if (getenv("NET_SMTP_AUTHC_SLOW") != NULL)
        step_of_cuts = 29;
    test_recipients();
    test_answers();
    test_messages();
    test_farewells();
    test_logins();
    for (i = SMTPC_OUTCOME_SENT; i <= SMTPC_OUTCOME_UNKNOWN; i++)
        ok(reports[i] > 0, "%s was reported %lu times", smtpc_outcome_name((enum smtpc_outcome)i), reports[i]);
    printf("# %lu cuts\n", cuts);
    return tap_done();
}
