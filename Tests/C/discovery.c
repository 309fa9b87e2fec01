/* Discovery under wrong handles, NULL, sizes that lie, and data and knowledge in which nothing can be found: a status each, and no crash. */
#include "check.h"

enum { N = 3, ROWS = 60 };
static double data[ROWS][N];
static uint8_t marks[ROWS][N], bytes[64];
static double numbers[64], more[64];
static size_t sizes[64];

static void make_data(void) {
    int i;
    for (i = 0; i < ROWS; i++) {
        data[i][0] = sin(12.9898 * i) * 43758.5453 - floor(sin(12.9898 * i) * 43758.5453);
        data[i][1] = sin(78.233 * i) * 12543.123 - floor(sin(78.233 * i) * 12543.123);
        data[i][2] = data[i][0] + data[i][1] + 0.1 * cos(3.0 * i * i);
    }
}

static causal_status create(causal_discovery **discovery, const causal_discovery_options *options) {
    return causal_discovery_create(discovery, NULL, data[0], NULL, ROWS, N, options);
}

static void finding(void) {
    const char *const names[N] = {"rain", "sprinkler", "wet"};
    causal_discovery_options options = CAUSAL_DISCOVERY_OPTIONS_INIT;
    causal_discovery *discovery;
    causal_graph *graph, *directed;
    double score, same, progress;
    size_t samples;
    int finished = 0;
    options.bootstrap = 5;
    OK(causal_discovery_create(&discovery, names, data[0], marks[0], ROWS, N, &options));
    OK(causal_discovery_run(discovery, 0.0, &finished));
    OK(causal_discovery_graph(discovery, &graph));     /* whatever there is by then */
    OK(causal_graph_free(graph));
    while (!finished) OK(causal_discovery_run(discovery, 0.01, &finished));
    OK(causal_discovery_progress(discovery, &progress));
    TRUE(progress == 1.0);
    OK(causal_discovery_graph(discovery, &graph));
    OK(causal_graph_adjacency(graph, bytes, N));
    TRUE(bytes[2] == 1 && bytes[5] == 1 && bytes[1] + bytes[3] + bytes[6] + bytes[7] == 0);
    OK(causal_discovery_directed_graph(discovery, &directed));
    OK(causal_discovery_score(discovery, NULL, &score));
    OK(causal_discovery_score(discovery, directed, &same));
    TRUE(score > 0 && score - same < 1e-9 && same - score < 1e-9);
    OK(causal_discovery_frequencies(discovery, numbers, more, N, &samples));
    TRUE(samples == 5 && numbers[2] == 1.0 && more[2] == 0.0);
    OK(causal_discovery_hidden_causes(discovery, numbers, N));
    TRUE(numbers[1] == 0.0 && numbers[2] == 0.0 && numbers[5] == 0.0);
    EXPECT(CAUSAL_ERROR_NULL, causal_discovery_hidden_causes(discovery, NULL, N));
    EXPECT(CAUSAL_ERROR_SHAPE, causal_discovery_hidden_causes(discovery, numbers, HUGE_SIZE));
    EXPECT(CAUSAL_ERROR_SHAPE, causal_discovery_frequencies(discovery, numbers, more, N + 1, &samples));
    EXPECT(CAUSAL_ERROR_SHAPE, causal_discovery_frequencies(discovery, numbers, more, HUGE_SIZE, &samples));
    EXPECT(CAUSAL_ERROR_NULL, causal_discovery_frequencies(discovery, NULL, more, N, &samples));
    EXPECT(CAUSAL_ERROR_NULL, causal_discovery_frequencies(discovery, numbers, NULL, N, &samples));
    EXPECT(CAUSAL_ERROR_NULL, causal_discovery_frequencies(discovery, numbers, more, N, NULL));
    EXPECT(CAUSAL_ERROR_NULL, causal_discovery_graph(discovery, NULL));
    EXPECT(CAUSAL_ERROR_NULL, causal_discovery_directed_graph(discovery, NULL));
    EXPECT(CAUSAL_ERROR_NULL, causal_discovery_progress(discovery, NULL));
    EXPECT(CAUSAL_ERROR_NULL, causal_discovery_score(discovery, NULL, NULL));
    EXPECT(CAUSAL_ERROR_VALUE, causal_discovery_run(discovery, NAN, NULL));
    EXPECT(CAUSAL_ERROR_HANDLE, causal_discovery_score(discovery, (const causal_graph *)discovery, &score));
    OK(causal_graph_free(graph));
    OK(causal_graph_create(&graph, bytes, 2, NULL));
    EXPECT(CAUSAL_ERROR_SHAPE, causal_discovery_score(discovery, graph, &score));
    OK(causal_graph_free(graph));
    OK(causal_graph_free(directed));
    OK(causal_discovery_free(discovery));
}

/* A network that learns the graph, of rows under two conditions. */
static void learning(void) {
    causal_discovery_options options = CAUSAL_DISCOVERY_OPTIONS_INIT, plain = CAUSAL_DISCOVERY_OPTIONS_INIT, wrong;
    causal_discovery *discovery;
    size_t regimes[ROWS];
    int finished = 0, i;
    for (i = 0; i < ROWS; i++) regimes[i] = i % 3 == 0;
    options.score = "network";
    options.restarts = 0;
    options.regimes = regimes;
    OK(create(&discovery, &options));
    while (!finished) OK(causal_discovery_run(discovery, 0.05, &finished));
    EXPECT(CAUSAL_ERROR_STATE, causal_discovery_hidden_causes(discovery, numbers, N));
    OK(causal_discovery_gates(discovery, numbers, N));
    for (i = 0; i < N * N; i++) TRUE(numbers[i] >= 0.0 && numbers[i] <= 1.0 && (i % (N + 1) != 0 || numbers[i] == 0.0));
    OK(causal_discovery_targets(discovery, bytes, 2, N));
    for (i = 0; i < 2 * N; i++) TRUE(bytes[i] == 0);
    EXPECT(CAUSAL_ERROR_NULL, causal_discovery_gates(discovery, NULL, N));
    EXPECT(CAUSAL_ERROR_SHAPE, causal_discovery_gates(discovery, numbers, N - 1));
    EXPECT(CAUSAL_ERROR_SHAPE, causal_discovery_gates(discovery, numbers, HUGE_SIZE));
    EXPECT(CAUSAL_ERROR_NULL, causal_discovery_targets(discovery, NULL, 2, N));
    EXPECT(CAUSAL_ERROR_SHAPE, causal_discovery_targets(discovery, bytes, 3, N));
    EXPECT(CAUSAL_ERROR_SHAPE, causal_discovery_targets(discovery, bytes, 2, HUGE_SIZE));
    EXPECT(CAUSAL_ERROR_SHAPE, causal_discovery_targets(discovery, bytes, HUGE_SIZE, N));
    OK(causal_discovery_free(discovery));
    wrong = options; wrong.score = "bic"; EXPECT(CAUSAL_ERROR_VALUE, create(&discovery, &wrong));
    regimes[7] = ROWS;
    EXPECT(CAUSAL_ERROR_VALUE, create(&discovery, &options));
    TRUE(strstr(causal_last_error(), "regime 60 in row 7, expected 0 to 59") != NULL);
    regimes[7] = HUGE_SIZE;
    EXPECT(CAUSAL_ERROR_MEMORY, create(&discovery, &options));
    OK(create(&discovery, &plain));
    EXPECT(CAUSAL_ERROR_STATE, causal_discovery_gates(discovery, numbers, N));
    EXPECT(CAUSAL_ERROR_STATE, causal_discovery_targets(discovery, bytes, 2, N));
    OK(causal_discovery_free(discovery));
}

static void refusing(void) {
    static const uint8_t ring[N * N] = {0, 1, 0, 0, 0, 1, 1, 0, 0}, one[N * N] = {0, 1, 0, 0, 0, 0, 0, 0, 0}, back[N * N] = {0, 0, 0, 1, 0, 0, 0, 0, 0};
    static const size_t twice[N] = {0, 0, 1}, beyond[N] = {0, 1, 7}, upwards[N] = {1, 0, HUGE_SIZE}, absurd[N] = {0, HUGE_SIZE / 2, 0};
    static const size_t single[N] = {1, 0, 0}, binary[N] = {2, 0, 0}, huge[N] = {HUGE_SIZE, 0, 0};
    const char *const same[N] = {"a", "a", "b"}, *const hole[N] = {"a", NULL, "b"};
    causal_discovery_options options = CAUSAL_DISCOVERY_OPTIONS_INIT, wrong;
    causal_discovery *discovery;
    EXPECT(CAUSAL_ERROR_NULL, create(NULL, &options));
    EXPECT(CAUSAL_ERROR_NULL, create(&discovery, NULL));
    EXPECT(CAUSAL_ERROR_NULL, causal_discovery_create(&discovery, NULL, NULL, NULL, ROWS, N, &options));
    EXPECT(CAUSAL_ERROR_SHAPE, causal_discovery_create(&discovery, NULL, data[0], NULL, 0, N, &options));
    EXPECT(CAUSAL_ERROR_VALUE, causal_discovery_create(&discovery, NULL, data[0], NULL, ROWS, 0, &options));
    EXPECT(CAUSAL_ERROR_VALUE, causal_discovery_create(&discovery, NULL, data[0], NULL, ROWS, HUGE_SIZE, &options));
    EXPECT(CAUSAL_ERROR_MEMORY, causal_discovery_create(&discovery, NULL, data[0], NULL, HUGE_SIZE, N, &options));
    EXPECT(CAUSAL_ERROR_MEMORY, causal_discovery_create(&discovery, NULL, data[0], NULL, HUGE_SIZE / 4, N, &options));
    EXPECT(CAUSAL_ERROR_VALUE, causal_discovery_create(&discovery, same, data[0], NULL, ROWS, N, &options));
    EXPECT(CAUSAL_ERROR_NULL, causal_discovery_create(&discovery, hole, data[0], NULL, ROWS, N, &options));
    wrong = options; wrong.size = 3; EXPECT(CAUSAL_ERROR_VALUE, create(&discovery, &wrong));
    wrong = options; wrong.score = "aic"; EXPECT(CAUSAL_ERROR_VALUE, create(&discovery, &wrong));
    wrong = options; wrong.score = NULL; EXPECT(CAUSAL_ERROR_NULL, create(&discovery, &wrong));
    wrong = options; wrong.score = "bdeu"; EXPECT(CAUSAL_ERROR_VALUE, create(&discovery, &wrong));
    wrong = options; wrong.penalty = -1; EXPECT(CAUSAL_ERROR_VALUE, create(&discovery, &wrong));
    wrong = options; wrong.penalty = NAN; EXPECT(CAUSAL_ERROR_VALUE, create(&discovery, &wrong));
    wrong = options; wrong.restarts = HUGE_SIZE / 4; EXPECT(CAUSAL_ERROR_VALUE, create(&discovery, &wrong));
    wrong = options; wrong.bootstrap = HUGE_SIZE / 4; EXPECT(CAUSAL_ERROR_VALUE, create(&discovery, &wrong));
    wrong = options; wrong.bootstrap = HUGE_SIZE; EXPECT(CAUSAL_ERROR_MEMORY, create(&discovery, &wrong));
    wrong = options; wrong.levels = single; EXPECT(CAUSAL_ERROR_VALUE, create(&discovery, &wrong));
    wrong = options; wrong.levels = binary; EXPECT(CAUSAL_ERROR_VALUE, create(&discovery, &wrong));     /* 0.3 is no level */
    wrong = options; wrong.levels = huge; EXPECT(CAUSAL_ERROR_MEMORY, create(&discovery, &wrong));
    wrong = options; wrong.required = ring; EXPECT(CAUSAL_ERROR_CYCLE, create(&discovery, &wrong));
    TRUE(strstr(causal_last_error(), "x0 -> x1 -> x2 -> x0") != NULL);
    wrong = options; wrong.required = wrong.forbidden = one; EXPECT(CAUSAL_ERROR_VALUE, create(&discovery, &wrong));
    wrong = options; wrong.required = one; wrong.tiers = upwards; EXPECT(CAUSAL_ERROR_VALUE, create(&discovery, &wrong));
    wrong = options; wrong.required = one; wrong.most_parents = 0; EXPECT(CAUSAL_ERROR_VALUE, create(&discovery, &wrong));
    wrong = options; wrong.tiers = absurd; wrong.required = back; EXPECT(CAUSAL_ERROR_VALUE, create(&discovery, &wrong));
    wrong = options; wrong.order = twice; EXPECT(CAUSAL_ERROR_VALUE, create(&discovery, &wrong));
    wrong = options; wrong.order = beyond; EXPECT(CAUSAL_ERROR_NAME, create(&discovery, &wrong));
    data[7][1] = NAN;
    EXPECT(CAUSAL_ERROR_VALUE, create(&discovery, &options));
    TRUE(strstr(causal_last_error(), "x1 is missing in row 7") != NULL);
    make_data();
}

static void stopping(void) {
    causal_discovery_options options = CAUSAL_DISCOVERY_OPTIONS_INIT;
    causal_discovery *discovery;
    causal_graph *graph;
    int finished = 1;
    options.restarts = 1000000;
    OK(create(&discovery, &options));
    OK(causal_discovery_cancel(discovery));
    OK(causal_discovery_run(discovery, INFINITY, &finished));
    TRUE(!finished);
    OK(causal_discovery_graph(discovery, &graph));
    OK(causal_graph_free(graph));
    OK(causal_discovery_free(discovery));
}

static void bad_discovery(causal_discovery *d, causal_status s) {
    causal_graph *graph;
    int finished;
    EXPECT(s, causal_discovery_run(d, 0.0, &finished));
    EXPECT(s, causal_discovery_cancel(d));
    EXPECT(s, causal_discovery_progress(d, numbers));
    EXPECT(s, causal_discovery_graph(d, &graph));
    EXPECT(s, causal_discovery_directed_graph(d, &graph));
    EXPECT(s, causal_discovery_score(d, NULL, numbers));
    EXPECT(s, causal_discovery_frequencies(d, numbers, more, N, sizes));
    EXPECT(s, causal_discovery_gates(d, numbers, N));
    EXPECT(s, causal_discovery_targets(d, bytes, 2, N));
    if (d != NULL) EXPECT(s, causal_discovery_free(d));
}

static void handles(void) {
    causal_discovery_options options = CAUSAL_DISCOVERY_OPTIONS_INIT;
    causal_discovery *discovery;
    causal_scenario *scenario;
    OK(create(&discovery, &options));
    OK(causal_discovery_free(discovery));
    bad_discovery(discovery, CAUSAL_ERROR_HANDLE);
    bad_discovery(NULL, CAUSAL_ERROR_NULL);
    bad_discovery((causal_discovery *)(void *)numbers, CAUSAL_ERROR_HANDLE);
    OK(causal_scenario_create(&scenario));
    bad_discovery((causal_discovery *)(void *)scenario, CAUSAL_ERROR_HANDLE);
    OK(causal_scenario_free(scenario));
    OK(causal_discovery_free(NULL));
}

int main(void) {
    make_data();
    finding();
    learning();
    refusing();
    stopping();
    handles();
    if (failures == 0) printf("discovery: what was there was found, and every other call refused as it should be\n");
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
