/* Structural models and their trainers, used as they should not be: each call is answered with a status and one line of text. */
#include "structural.h"

static uint8_t flags[ROWS * N];
static double noise[ROWS * 8];
static size_t size;
static char text[64];

/* ---------------------------------------------------------------- a handle that is none */

static void bad_scenario(causal_scenario *s, const causal_structural_model *live, causal_status status) {
    causal_edit edit = CAUSAL_EDIT_INIT;
    double one = 1;
    edit.variable = "x";
    edit.values = &one;
    edit.value_count = 1;
    EXPECT(status, causal_scenario_add(s, &edit));
    if (s == NULL) return;      /* none, and nothing to free */
    EXPECT(status, causal_structural_model_sample(live, s, 0, 1, 0, NULL, answer[0], 1, N));
    EXPECT(status, causal_structural_model_counterfactual(live, data[0], NULL, s, 0, 1, NULL, answer[0], 1, N));
    EXPECT(status, causal_scenario_free(s));
}

static void bad_trainer(causal_structural_trainer *t, causal_status s) {
    causal_structural_model *model;
    double progress;
    int finished;
    EXPECT(s, causal_structural_trainer_run(t, 0, &finished));
    EXPECT(s, causal_structural_trainer_progress(t, &progress));
    EXPECT(s, causal_structural_trainer_model(t, &model));
    if (t != NULL) EXPECT(s, causal_structural_trainer_free(t));
}

static void bad_model(causal_structural_model *m, causal_status s) {
    causal_dtype dtype;
    causal_graph *graph;
    EXPECT(s, causal_structural_model_member_count(m, &size));
    EXPECT(s, causal_structural_model_noise_width(m, &size));
    EXPECT(s, causal_structural_model_mechanism(m, 0, text, sizeof text, &size));
    EXPECT(s, causal_structural_model_dtype(m, &dtype));
    EXPECT(s, causal_structural_model_graph(m, &graph));
    EXPECT(s, causal_structural_model_levels(m, 0, &size));
    EXPECT(s, causal_structural_model_sample(m, NULL, 0, 1, 0, NULL, answer[0], 1, N));
    EXPECT(s, causal_structural_model_counterfactual(m, data[0], NULL, NULL, 0, 1, NULL, answer[0], 1, N));
    EXPECT(s, causal_structural_model_abduct(m, data[0], NULL, 0, 1, 1, N, noise, 4));
    EXPECT(s, causal_structural_model_probabilities(m, Z, data[0], 1, N, 0, noise, 3));
    EXPECT(s, causal_structural_model_save(m, "never-written.safetensors", NULL));
    EXPECT(s, causal_structural_model_encode(m, NULL, NULL, 0, &size));
    EXPECT(s, causal_structural_model_note(m, text, sizeof text, &size));
    if (m != NULL) EXPECT(s, causal_structural_model_free(m));
}

static void bad_everything(void *handle, const causal_structural_model *live, causal_status s) {
    bad_scenario((causal_scenario *)handle, live, s);
    bad_trainer((causal_structural_trainer *)handle, s);
    bad_model((causal_structural_model *)handle, s);
    EXPECT(s, causal_graph_variable_name((causal_graph *)handle, 0, text, sizeof text, &size));
}

/* ---------------------------------------------------------------- arguments that cannot be */

static void trainers(void) {
    static const uint8_t ring[N * N] = {0, 1, 0, 0, 0, 1, 1, 0, 0};
    const size_t widths[2] = {4, HUGE_SIZE};
    causal_structural_options options = CAUSAL_STRUCTURAL_OPTIONS_INIT;
    causal_mechanism kinds[N] = {CAUSAL_MECHANISM_INIT, CAUSAL_MECHANISM_INIT, CAUSAL_MECHANISM_INIT};
    causal_structural_trainer *trainer;
    causal_structural_model *model;
    causal_graph *graph = new_graph(), *cyclic;
    double kept, progress;
    size_t twins[ROWS];
    int i, finished = 1;
    kinds[Y].kind = "linear";
    kinds[Z].kind = "linear";
    options.epochs = 2;
#define TRY(status) EXPECT(status, causal_structural_trainer_create(&trainer, graph, kinds, data[0], NULL, ROWS, N, &options))
    EXPECT(CAUSAL_ERROR_NULL, causal_structural_trainer_create(NULL, graph, kinds, data[0], NULL, ROWS, N, &options));
    EXPECT(CAUSAL_ERROR_NULL, causal_structural_trainer_create(&trainer, NULL, kinds, data[0], NULL, ROWS, N, &options));
    EXPECT(CAUSAL_ERROR_NULL, causal_structural_trainer_create(&trainer, graph, kinds, NULL, NULL, ROWS, N, &options));
    EXPECT(CAUSAL_ERROR_NULL, causal_structural_trainer_create(&trainer, graph, kinds, data[0], NULL, ROWS, N, NULL));
    EXPECT(CAUSAL_ERROR_SHAPE, causal_structural_trainer_create(&trainer, graph, kinds, data[0], NULL, ROWS, N - 1, &options));
    EXPECT(CAUSAL_ERROR_SHAPE, causal_structural_trainer_create(&trainer, graph, kinds, data[0], NULL, 0, N, &options));
    for (i = 0; i < ABSURD; i++) {
        EXPECT(CAUSAL_ERROR_MEMORY, causal_structural_trainer_create(&trainer, graph, kinds, data[0], NULL, absurd[i], absurd[i], &options));
        EXPECT(CAUSAL_ERROR_MEMORY, causal_structural_trainer_create(&trainer, graph, kinds, data[0], flags, absurd[i], N, &options));
    }
    EXPECT(CAUSAL_ERROR_HANDLE, causal_structural_trainer_create(&trainer, (causal_graph *)flags, kinds, data[0], NULL, ROWS, N, &options));
    OK(causal_graph_create(&cyclic, ring, N, NULL));
    EXPECT(CAUSAL_ERROR_CYCLE, causal_structural_trainer_create(&trainer, cyclic, kinds, data[0], NULL, ROWS, N, &options));
    OK(causal_graph_free(cyclic));

#define WITH(field, value, status) \
    do { \
        causal_structural_options right = options; \
        options.field = value; \
        TRY(status); \
        options = right; \
    } while (0)
    WITH(size, 0, CAUSAL_ERROR_VALUE);
    WITH(size, HUGE_SIZE, CAUSAL_ERROR_VALUE);
    WITH(dtype, (causal_dtype)9, CAUSAL_ERROR_DTYPE);
    WITH(members, 0, CAUSAL_ERROR_VALUE);
    WITH(members, 1001, CAUSAL_ERROR_VALUE);
    WITH(members, HUGE_SIZE, CAUSAL_ERROR_MEMORY);
    WITH(epochs, HUGE_SIZE, CAUSAL_ERROR_MEMORY);
    WITH(batch_size, HUGE_SIZE, CAUSAL_ERROR_MEMORY);
    WITH(learning_rate, NAN, CAUSAL_ERROR_VALUE);
    WITH(learning_rate, -1, CAUSAL_ERROR_VALUE);
    WITH(weight_decay, NAN, CAUSAL_ERROR_VALUE);
    WITH(held_out, NAN, CAUSAL_ERROR_VALUE);
    WITH(held_out, 0.6, CAUSAL_ERROR_VALUE);
    WITH(patience, NAN, CAUSAL_ERROR_VALUE);
    WITH(patience, 0, CAUSAL_ERROR_VALUE);
    WITH(counterfactual, NAN, CAUSAL_ERROR_VALUE);
    WITH(counterfactual, -1, CAUSAL_ERROR_VALUE);
    for (i = 0; i < ROWS; i++) twins[i] = SIZE_MAX;
    WITH(twins, twins, CAUSAL_ERROR_VALUE);     /* nobody is one */
    twins[1] = 1;
    WITH(twins, twins, CAUSAL_ERROR_VALUE);
    twins[1] = ROWS;
    WITH(twins, twins, CAUSAL_ERROR_VALUE);
    twins[1] = SIZE_MAX - 1;
    WITH(twins, twins, CAUSAL_ERROR_VALUE);
    options.twins = twins;
    for (i = 0; i < ABSURD; i++)
        EXPECT(CAUSAL_ERROR_MEMORY, causal_structural_trainer_create(&trainer, graph, kinds, data[0], NULL, absurd[i], N, &options));
    for (i = 1; i < ROWS; i++) twins[i] = 0;    /* all are of one unit */
    options.resamples = 1;
    TRY(CAUSAL_OK);
    OK(causal_structural_trainer_run(trainer, INFINITY, NULL));
    OK(causal_structural_trainer_free(trainer));
    options.resamples = 0;
    options.twins = NULL;
#undef WITH
#define KIND(v, field, value, status) \
    do { \
        causal_mechanism right = kinds[v]; \
        kinds[v].field = value; \
        TRY(status); \
        kinds[v] = right; \
    } while (0)
    KIND(Y, size, 7, CAUSAL_ERROR_VALUE);
    KIND(Y, kind, NULL, CAUSAL_ERROR_NULL);
    KIND(Y, kind, "magic", CAUSAL_ERROR_VALUE);
    KIND(Y, kind, "\xff", CAUSAL_ERROR_VALUE);
    KIND(Y, kind, "softmax", CAUSAL_ERROR_VALUE);
    KIND(Y, activation, "wavy", CAUSAL_ERROR_VALUE);
    KIND(Y, activation, NULL, CAUSAL_ERROR_NULL);
    KIND(Y, levels, 2, CAUSAL_ERROR_VALUE);     /* its numbers are no levels */
    KIND(Y, levels, 1, CAUSAL_ERROR_VALUE);
    KIND(Y, levels, HUGE_SIZE, CAUSAL_ERROR_MEMORY);
    KIND(Y, levels, HUGE_SIZE / 2, CAUSAL_ERROR_VALUE);
    kinds[Y].kind = "flow";
    KIND(Y, pieces, 0, CAUSAL_ERROR_VALUE);
    KIND(Y, pieces, 65, CAUSAL_ERROR_VALUE);
    KIND(Y, pieces, HUGE_SIZE, CAUSAL_ERROR_MEMORY);
    kinds[Y].hidden = widths;
    for (i = 0; i < ABSURD; i++) KIND(Y, hidden_count, absurd[i], CAUSAL_ERROR_MEMORY);
    KIND(Y, hidden_count, 2, CAUSAL_ERROR_MEMORY);
    kinds[Y].hidden = NULL;
    KIND(Y, hidden_count, HUGE_SIZE, CAUSAL_ERROR_MEMORY);
    kinds[Y].kind = "smooth";
    KIND(Y, levels, 2, CAUSAL_ERROR_VALUE);
    options.sparsity = 0.1;
    TRY(CAUSAL_ERROR_VALUE);
    options.sparsity = 0;
    TRY(CAUSAL_OK);
    OK(causal_structural_trainer_run(trainer, INFINITY, NULL));
    OK(causal_structural_trainer_free(trainer));
    kinds[Y].kind = "linear";
#undef KIND
    kept = data[3][Y];
    data[3][Y] = INFINITY;
    TRY(CAUSAL_ERROR_VALUE);
    data[3][Y] = NAN;
    memset(flags, 1, sizeof flags);     /* set, and to nothing */
    EXPECT(CAUSAL_ERROR_VALUE, causal_structural_trainer_create(&trainer, graph, kinds, data[0], flags, ROWS, N, &options));
    data[3][Y] = kept;                  /* set everywhere: nothing to learn from */
    EXPECT(CAUSAL_ERROR_VALUE, causal_structural_trainer_create(&trainer, graph, kinds, data[0], flags, ROWS, N, &options));
    memset(flags, 0, sizeof flags);

    /* More patience, and larger batches, than there is anything to wait for or to take. */
    options.patience = INFINITY;
    options.batch_size = HUGE_SIZE / 2;
    TRY(CAUSAL_OK);
    OK(causal_structural_trainer_run(trainer, INFINITY, &finished));
    TRUE(finished == 1);
    OK(causal_structural_trainer_free(trainer));
    options.patience = 1e300;
    options.epochs = HUGE_SIZE / 2;
    TRY(CAUSAL_OK);
    OK(causal_structural_trainer_run(trainer, 0.01, &finished));
    TRUE(finished == 0);
    OK(causal_structural_trainer_free(trainer));
    options.patience = 0.25;
    options.batch_size = 16;
    options.epochs = 2;

    TRY(CAUSAL_OK);
    EXPECT(CAUSAL_ERROR_STATE, causal_structural_trainer_model(trainer, &model));
    EXPECT(CAUSAL_ERROR_NULL, causal_structural_trainer_model(trainer, NULL));
    EXPECT(CAUSAL_ERROR_NULL, causal_structural_trainer_progress(trainer, NULL));
    EXPECT(CAUSAL_ERROR_VALUE, causal_structural_trainer_run(trainer, NAN, &finished));
    OK(causal_structural_trainer_run(trainer, -INFINITY, NULL));
    OK(causal_structural_trainer_progress(trainer, &progress));
    TRUE(progress >= 0 && progress <= 1);
    OK(causal_structural_trainer_free(trainer));
    EXPECT(CAUSAL_ERROR_HANDLE, causal_structural_trainer_free(trainer));
    EXPECT(CAUSAL_ERROR_SHAPE, causal_structural_trainer_create(&trainer, graph, NULL, data[0], NULL, ROWS / N, N * N, &options));
    OK(causal_graph_free(graph));
#undef TRY
}

static void models(causal_structural_model *model) {
    causal_dtype dtype;
    causal_graph *graph;
    double kept;
    int i;
    EXPECT(CAUSAL_ERROR_NULL, causal_structural_model_member_count(model, NULL));
    EXPECT(CAUSAL_ERROR_NULL, causal_structural_model_noise_width(model, NULL));
    EXPECT(CAUSAL_ERROR_NULL, causal_structural_model_dtype(model, NULL));
    EXPECT(CAUSAL_ERROR_NULL, causal_structural_model_graph(model, NULL));
    EXPECT(CAUSAL_ERROR_NULL, causal_structural_model_levels(model, Z, NULL));
    EXPECT(CAUSAL_ERROR_NAME, causal_structural_model_levels(model, N, &size));
    EXPECT(CAUSAL_ERROR_NAME, causal_structural_model_levels(model, HUGE_SIZE, &size));
    EXPECT(CAUSAL_ERROR_NAME, causal_structural_model_mechanism(model, HUGE_SIZE, text, sizeof text, &size));
    EXPECT(CAUSAL_ERROR_NULL, causal_structural_model_mechanism(model, Y, NULL, 8, &size));
    EXPECT(CAUSAL_ERROR_MEMORY, causal_structural_model_mechanism(model, Y, text, HUGE_SIZE, &size));
    OK(causal_structural_model_levels(model, Z, &size));
    TRUE(size == 3);
    OK(causal_structural_model_levels(model, X, &size));
    TRUE(size == 0);
    OK(causal_structural_model_dtype(model, &dtype));
    TRUE(dtype == CAUSAL_FLOAT32);
    OK(causal_structural_model_graph(model, &graph));
    OK(causal_graph_variable_name(graph, Y, text, sizeof text, &size));
    TRUE(size == 1 && strcmp(text, "y") == 0);
    EXPECT(CAUSAL_ERROR_NAME, causal_graph_variable_name(graph, N, text, sizeof text, &size));
    EXPECT(CAUSAL_ERROR_NAME, causal_graph_variable_name(graph, HUGE_SIZE, text, sizeof text, &size));
    EXPECT(CAUSAL_ERROR_NULL, causal_graph_variable_name(graph, Y, NULL, 1, &size));
    OK(causal_graph_variable_name(graph, Y, NULL, 0, NULL));
    OK(causal_graph_free(graph));

    EXPECT(CAUSAL_ERROR_NULL, causal_structural_model_sample(model, NULL, 0, 1, 0, NULL, NULL, 1, N));
    EXPECT(CAUSAL_ERROR_SHAPE, causal_structural_model_sample(model, NULL, 0, 1, 0, NULL, answer[0], 1, N + 1));
    EXPECT(CAUSAL_ERROR_NAME, causal_structural_model_sample(model, NULL, MEMBERS, 1, 0, NULL, answer[0], 1, N));
    EXPECT(CAUSAL_ERROR_NAME, causal_structural_model_sample(model, NULL, HUGE_SIZE - 1, 1, 0, NULL, answer[0], 1, N));
    EXPECT(CAUSAL_ERROR_MEMORY, causal_structural_model_sample(model, NULL, 0, 1, HUGE_SIZE, NULL, answer[0], 1, N));
    OK(causal_structural_model_sample(model, NULL, 0, 1, HUGE_SIZE / 2, NULL, answer[0], 1, N));
    OK(causal_structural_model_sample(model, NULL, HUGE_SIZE, UINT64_MAX, 3, flags, answer[0], ROWS, N));
    OK(causal_structural_model_sample(model, NULL, HUGE_SIZE, 1, 0, NULL, NULL, 0, N));
    for (i = 0; i < ABSURD; i++) {
        EXPECT(CAUSAL_ERROR_MEMORY, causal_structural_model_sample(model, NULL, HUGE_SIZE, 1, 0, NULL, answer[0], absurd[i], N));
        EXPECT(CAUSAL_ERROR_MEMORY, causal_structural_model_sample(model, NULL, 0, 1, 0, NULL, answer[0], absurd[i], N));
        EXPECT(CAUSAL_ERROR_MEMORY, causal_structural_model_sample(model, NULL, 0, 1, 0, NULL, answer[0], absurd[i], absurd[i]));
    }
    EXPECT(CAUSAL_ERROR_NULL, causal_structural_model_counterfactual(model, NULL, NULL, NULL, 0, 1, NULL, answer[0], 1, N));
    EXPECT(CAUSAL_ERROR_NULL, causal_structural_model_counterfactual(model, data[0], NULL, NULL, 0, 1, NULL, NULL, 1, N));
    EXPECT(CAUSAL_ERROR_SHAPE, causal_structural_model_counterfactual(model, data[0], NULL, NULL, 0, 1, NULL, answer[0], 1, N - 1));
    EXPECT(CAUSAL_ERROR_NAME, causal_structural_model_counterfactual(model, data[0], NULL, NULL, HUGE_SIZE, 1, NULL, answer[0], 1, N));
    EXPECT(CAUSAL_ERROR_MEMORY, causal_structural_model_counterfactual(model, data[0], NULL, NULL, 0, 1, NULL, answer[0], HUGE_SIZE, N));
    EXPECT(CAUSAL_ERROR_SHAPE, causal_structural_model_counterfactual(model, data[0], flags, NULL, 0, 1, NULL, answer[0], HUGE_SIZE / 64, 0));
    OK(causal_structural_model_counterfactual(model, NULL, NULL, NULL, 0, 1, NULL, NULL, 0, N));
    OK(causal_structural_model_probabilities(model, Z, data[0], 4, N, 0, noise, 3));
    for (i = 0; i < 4; i++) TRUE(fabs(noise[3 * i] + noise[3 * i + 1] + noise[3 * i + 2] - 1) < 1e-12);
    OK(causal_structural_model_probabilities(model, Z, NULL, 0, N, 0, NULL, 3));
    EXPECT(CAUSAL_ERROR_VALUE, causal_structural_model_probabilities(model, Y, data[0], 1, N, 0, noise, 3));
    EXPECT(CAUSAL_ERROR_NAME, causal_structural_model_probabilities(model, N, data[0], 1, N, 0, noise, 3));
    EXPECT(CAUSAL_ERROR_NAME, causal_structural_model_probabilities(model, HUGE_SIZE, data[0], 1, N, 0, noise, 3));
    EXPECT(CAUSAL_ERROR_NAME, causal_structural_model_probabilities(model, Z, data[0], 1, N, MEMBERS, noise, 3));
    EXPECT(CAUSAL_ERROR_NULL, causal_structural_model_probabilities(model, Z, NULL, 1, N, 0, noise, 3));
    EXPECT(CAUSAL_ERROR_NULL, causal_structural_model_probabilities(model, Z, data[0], 1, N, 0, NULL, 3));
    EXPECT(CAUSAL_ERROR_SHAPE, causal_structural_model_probabilities(model, Z, data[0], 1, N, 0, noise, 4));
    EXPECT(CAUSAL_ERROR_SHAPE, causal_structural_model_probabilities(model, Z, data[0], 1, N - 1, 0, noise, 3));
    EXPECT(CAUSAL_ERROR_MEMORY, causal_structural_model_probabilities(model, Z, data[0], HUGE_SIZE, N, 0, noise, 3));
    EXPECT(CAUSAL_ERROR_NULL, causal_structural_model_abduct(model, NULL, NULL, 0, 1, 1, N, noise, 5));
    EXPECT(CAUSAL_ERROR_NULL, causal_structural_model_abduct(model, data[0], NULL, 0, 1, 1, N, NULL, 5));
    EXPECT(CAUSAL_ERROR_SHAPE, causal_structural_model_abduct(model, data[0], NULL, 0, 1, 1, N, noise, 4));
    EXPECT(CAUSAL_ERROR_SHAPE, causal_structural_model_abduct(model, data[0], NULL, 0, 1, 1, N - 1, noise, 5));
    EXPECT(CAUSAL_ERROR_NAME, causal_structural_model_abduct(model, data[0], NULL, MEMBERS, 1, 1, N, noise, 5));
    EXPECT(CAUSAL_ERROR_MEMORY, causal_structural_model_abduct(model, data[0], NULL, 0, 1, HUGE_SIZE, N, noise, 5));
    EXPECT(CAUSAL_ERROR_MEMORY, causal_structural_model_abduct(model, data[0], NULL, 0, 1, 1, N, noise, HUGE_SIZE));
    OK(causal_structural_model_noise_width(model, &size));
    TRUE(size == 5);
    kept = data[0][Z];
    data[0][Z] = 1e300;
    EXPECT(CAUSAL_ERROR_VALUE, causal_structural_model_abduct(model, data[0], NULL, 0, 1, 1, N, noise, 5));
    data[0][Z] = 0.5;
    EXPECT(CAUSAL_ERROR_VALUE, causal_structural_model_counterfactual(model, data[0], NULL, NULL, 0, 1, NULL, answer[0], 1, N));
    data[0][Z] = NAN;
    OK(causal_structural_model_counterfactual(model, data[0], NULL, NULL, 0, 1, NULL, answer[0], 1, N));
    data[0][Z] = kept;
}

/* ---------------------------------------------------------------- many callers */

/* f(x) = 2 x, and one that fails. */
static int twice(void *context, const double *x, size_t rows, size_t columns, double *result) {
    size_t i;
    if (context != NULL || columns != 1) return 1;
    for (i = 0; i < rows; i++) result[i] = 2 * x[i];
    return 0;
}

static void gradients(causal_structural_model *model) {
    causal_scenario *scenario;
    causal_edit edit = CAUSAL_EDIT_INIT;
    const double value = 0.5;
    double gradient[2] = {NAN, NAN};
    memset(answer, 0, sizeof answer);
    answer[0][X] = 1;
    edit.variable = "x";
    edit.values = &value;
    edit.value_count = 1;
    OK(causal_scenario_create(&scenario));
    OK(causal_scenario_add(scenario, &edit));
    OK(causal_structural_model_gradient(model, scenario, 0, 0, 0, *answer, ROWS, N, gradient, 1));
    TRUE(gradient[0] == 1);
    EXPECT(CAUSAL_ERROR_SHAPE, causal_structural_model_gradient(model, scenario, 0, 0, 0, *answer, ROWS, N, gradient, 2));
    EXPECT(CAUSAL_ERROR_SHAPE, causal_structural_model_gradient(model, scenario, 0, 0, 0, *answer, ROWS, N - 1, gradient, 1));
    EXPECT(CAUSAL_ERROR_NULL, causal_structural_model_gradient(model, scenario, 0, 0, 0, NULL, ROWS, N, gradient, 1));
    EXPECT(CAUSAL_ERROR_NULL, causal_structural_model_gradient(model, scenario, 0, 0, 0, *answer, ROWS, N, NULL, 1));
    EXPECT(CAUSAL_ERROR_NAME, causal_structural_model_gradient(model, scenario, MEMBERS, 0, 0, *answer, ROWS, N, gradient, 1));
    EXPECT(CAUSAL_ERROR_MEMORY, causal_structural_model_gradient(model, scenario, 0, 0, 0, *answer, HUGE_SIZE, N, gradient, 1));
    EXPECT(CAUSAL_ERROR_NULL, causal_structural_model_gradient(NULL, scenario, 0, 0, 0, *answer, ROWS, N, gradient, 1));
    OK(causal_scenario_free(scenario));
}

/* Mechanisms that are given, and that are kept. */
static void known_mechanisms(void) {
    causal_structural_options options = CAUSAL_STRUCTURAL_OPTIONS_INIT;
    causal_mechanism kinds[N] = {CAUSAL_MECHANISM_INIT, CAUSAL_MECHANISM_INIT, CAUSAL_MECHANISM_INIT};
    causal_structural_trainer *trainer;
    causal_structural_model *former, *model;
    causal_graph *graph = new_graph();
    uint8_t frozen[N] = {0, 1, 0};
    options.epochs = 1;
    kinds[Y].kind = "given";
    kinds[Z].kind = "linear";
    EXPECT(CAUSAL_ERROR_NULL, causal_structural_trainer_create(&trainer, graph, kinds, *data, NULL, ROWS, N, &options));
    kinds[Y].formula = twice;
    OK(causal_structural_trainer_create(&trainer, graph, kinds, *data, NULL, ROWS, N, &options));
    OK(causal_structural_trainer_run(trainer, INFINITY, NULL));
    OK(causal_structural_trainer_model(trainer, &former));
    OK(causal_structural_trainer_free(trainer));
    EXPECT(CAUSAL_ERROR_VALUE, causal_structural_model_save(former, "/tmp/never-written", NULL));

    options.former = former;
    EXPECT(CAUSAL_ERROR_NULL, causal_structural_trainer_create(&trainer, graph, kinds, *data, NULL, ROWS, N, &options));
    options.frozen = frozen;
    OK(causal_structural_trainer_create(&trainer, graph, kinds, *data, NULL, ROWS, N, &options));
    OK(causal_structural_trainer_run(trainer, INFINITY, NULL));
    OK(causal_structural_trainer_model(trainer, &model));
    OK(causal_structural_trainer_free(trainer));
    options.dtype = CAUSAL_FLOAT64;
    EXPECT(CAUSAL_ERROR_DTYPE, causal_structural_trainer_create(&trainer, graph, kinds, *data, NULL, ROWS, N, &options));
    options.dtype = CAUSAL_FLOAT32;
    options.former = NULL;
    kinds[Y].context = frozen;     /* it fails */
    OK(causal_structural_trainer_create(&trainer, graph, kinds, *data, NULL, ROWS, N, &options));
    OK(causal_structural_trainer_run(trainer, INFINITY, NULL));
    EXPECT(CAUSAL_ERROR_STATE, causal_structural_trainer_model(trainer, &model));
    OK(causal_structural_trainer_free(trainer));
    OK(causal_structural_model_free(former));
    OK(causal_graph_free(graph));
}

static void *train(void *trainer) {
    /* Somebody asking for its progress at this moment is in the way, too. */
    while (causal_structural_trainer_run((causal_structural_trainer *)trainer, 1.0, NULL) == CAUSAL_ERROR_BUSY) {}
    return NULL;
}

static void busy_trainer(void) {
    causal_structural_options options = CAUSAL_STRUCTURAL_OPTIONS_INIT;
    causal_structural_trainer *trainer;
    causal_structural_model *model;
    causal_graph *graph = new_graph();
    double progress;
    pthread_t other;
    options.epochs = 1000000;
    OK(causal_structural_trainer_create(&trainer, graph, NULL, data[0], NULL, ROWS, N, &options));
    pthread_create(&other, NULL, train, trainer);
    while (causal_structural_trainer_progress(trainer, &progress) == CAUSAL_OK) {}
    EXPECT(CAUSAL_ERROR_BUSY, causal_structural_trainer_progress(trainer, &progress));
    EXPECT(CAUSAL_ERROR_BUSY, causal_structural_trainer_run(trainer, 1, NULL));
    EXPECT(CAUSAL_ERROR_BUSY, causal_structural_trainer_model(trainer, &model));
    EXPECT(CAUSAL_ERROR_BUSY, causal_structural_trainer_free(trainer));
    pthread_join(other, NULL);
    OK(causal_structural_trainer_free(trainer));
    OK(causal_graph_free(graph));
}

static void *ask(void *model) {
    double mine[ROWS][N];
    int i, same = 1;
    for (i = 0; i < 200; i++) {
        causal_status status = causal_structural_model_sample((causal_structural_model *)model, NULL, HUGE_SIZE, 9, 0, NULL, mine[0], ROWS, N);
        same = same && status == CAUSAL_OK && memcmp(mine, answer, sizeof mine) == 0;
    }
    return same ? model : NULL;
}

static void many_callers(causal_structural_model *model) {
    pthread_t others[4];
    void *result;
    int i;
    OK(causal_structural_model_sample(model, NULL, HUGE_SIZE, 9, 0, NULL, answer[0], ROWS, N));
    for (i = 0; i < 4; i++) pthread_create(&others[i], NULL, ask, model);
    for (i = 0; i < 4; i++) {
        pthread_join(others[i], &result);
        TRUE(result != NULL);
    }
}

int main(void) {
    causal_structural_model *model, *stale;
    causal_scenario *scenario;
    make_data();
    model = new_model(MEMBERS);
    stale = new_model(1);
    OK(causal_structural_model_free(stale));
    OK(causal_scenario_create(&scenario));

    bad_everything(NULL, model, CAUSAL_ERROR_NULL);
    bad_everything(stale, model, CAUSAL_ERROR_HANDLE);
    bad_everything(flags, model, CAUSAL_ERROR_HANDLE);
    bad_everything((void *)(uintptr_t)1, model, CAUSAL_ERROR_HANDLE);
    bad_everything((void *)UINTPTR_MAX, model, CAUSAL_ERROR_HANDLE);
    bad_model((causal_structural_model *)scenario, CAUSAL_ERROR_HANDLE);
    bad_trainer((causal_structural_trainer *)model, CAUSAL_ERROR_HANDLE);
    bad_scenario((causal_scenario *)model, model, CAUSAL_ERROR_HANDLE);
    OK(causal_scenario_free(scenario));
    OK(causal_scenario_free(NULL));
    OK(causal_structural_trainer_free(NULL));
    OK(causal_structural_model_free(NULL));

    trainers();
    models(model);
    gradients(model);
    known_mechanisms();
    busy_trainer();
    many_callers(model);
    OK(causal_structural_model_free(model));
    if (failures == 0) printf("structural: every call was answered as it should be\n");
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
