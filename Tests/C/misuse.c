/* Everything a caller should not do: each is answered with a status and one line of text, and nothing crashes. */
#include "check.h"

enum { N = 3 };
static uint8_t bytes[64];
static float numbers[64];
static double doubles[64];
static size_t sizes[64];
static char text[64];
static causal_epoch epochs[4];
static const float nan_row[N] = {0, NAN, 0};

/* ---------------------------------------------------------------- a handle that is none, at every function of its kind */

static void bad_intervention(causal_intervention *i, causal_status s) {
    EXPECT(s, causal_intervention_set(i, 0, bytes, 1, numbers, CAUSAL_FLOAT32, 1, N));
    if (i != NULL) EXPECT(s, causal_intervention_free(i));
}

static void bad_model(causal_model *m, causal_status s) {
    causal_dtype dtype;
    causal_trace *trace;
    causal_trainer *trainer;
    causal_dataset data = CAUSAL_DATASET_INIT;
    causal_trainer_options options = CAUSAL_TRAINER_OPTIONS_INIT;
    data.x = data.y = numbers;
    data.rows = data.y_columns = 1;
    data.x_columns = N;
    EXPECT(s, causal_model_dtype(m, &dtype));
    EXPECT(s, causal_model_network(m, text, sizeof text, sizes));
    EXPECT(s, causal_model_input_width(m, sizes));
    EXPECT(s, causal_model_output_width(m, sizes));
    EXPECT(s, causal_model_site_count(m, sizes));
    EXPECT(s, causal_model_site_width(m, 0, sizes));
    EXPECT(s, causal_model_parameter_count(m, sizes));
    EXPECT(s, causal_model_tensor_count(m, sizes));
    EXPECT(s, causal_model_tensor_shape(m, 0, sizes, sizes, sizes));
    EXPECT(s, causal_model_tensor_name(m, 0, text, sizeof text, sizes));
    EXPECT(s, causal_model_initialize(m, numbers, 4, 1));
    EXPECT(s, causal_model_get_parameters(m, numbers, CAUSAL_FLOAT32, 4));
    EXPECT(s, causal_model_set_parameters(m, numbers, CAUSAL_FLOAT32, 4));
    EXPECT(s, causal_model_predict(m, NULL, numbers, CAUSAL_FLOAT32, 1, N, NULL, doubles, CAUSAL_FLOAT32, 1, 1));
    EXPECT(s, causal_trace_create(&trace, m));
    EXPECT(s, causal_model_save(m, NULL, "never-written.safetensors", NULL));
    EXPECT(s, causal_model_encode(m, NULL, NULL, NULL, 0, sizes));
    EXPECT(s, causal_model_note(m, text, sizeof text, sizes));
    EXPECT(s, causal_trainer_create(&trainer, m, NULL, &data, NULL, &options));
    if (m != NULL) EXPECT(s, causal_model_free(m));
}

static void bad_trace(const causal_model *m, causal_trace *t, causal_status s) {
    causal_gradients gradients = CAUSAL_GRADIENTS_INIT;
    EXPECT(s, causal_model_forward(m, NULL, numbers, CAUSAL_FLOAT32, 1, N, NULL, t, doubles, CAUSAL_FLOAT32, 1, 1));
    EXPECT(s, causal_model_backward(m, NULL, t, numbers, CAUSAL_FLOAT32, 1, 1, &gradients));
    if (t != NULL) EXPECT(s, causal_trace_free(t));
}

static void bad_loss(causal_loss *l, causal_status s) {
    const causal_loss *terms[1];
    const double weight = 1;
    double value;
    causal_loss *sum;
    causal_loss_arguments arguments = CAUSAL_LOSS_ARGUMENTS_INIT;
    arguments.prediction = arguments.target = numbers;
    arguments.rows = arguments.columns = arguments.target_rows = arguments.target_columns = 1;
    terms[0] = l;
    EXPECT(s, causal_loss_evaluate(l, &arguments, &value, NULL));
    EXPECT(s, causal_loss_create_sum(&sum, terms, &weight, 1));
    if (l != NULL) EXPECT(s, causal_loss_free(l));
}

static void bad_optimizer(causal_optimizer *o, causal_status s) {
    EXPECT(s, causal_optimizer_set_learning_rate(o, 0.1));
    EXPECT(s, causal_optimizer_step(o, NULL, numbers, doubles, CAUSAL_FLOAT32, 4));
    if (o != NULL) EXPECT(s, causal_optimizer_free(o));
}

static void bad_trainer(causal_trainer *t, causal_status s) {
    causal_trainer_state state;
    causal_dataset data = CAUSAL_DATASET_INIT;
    EXPECT(s, causal_trainer_run(t, 1, &state));
    EXPECT(s, causal_trainer_learn(t, &data, &state));
    EXPECT(s, causal_trainer_end_epoch(t, &state));
    EXPECT(s, causal_trainer_cancel(t));
    EXPECT(s, causal_trainer_history(t, 0, epochs, 4, sizes));
    EXPECT(s, causal_trainer_progress(t, sizes, sizes, sizes));
    if (t != NULL) EXPECT(s, causal_trainer_free(t));
}

static void bad_everything(void *handle, const causal_model *live, causal_status s) {
    bad_intervention((causal_intervention *)handle, s);
    bad_model((causal_model *)handle, s);
    bad_trace(live, (causal_trace *)handle, s);
    bad_loss((causal_loss *)handle, s);
    bad_optimizer((causal_optimizer *)handle, s);
    bad_trainer((causal_trainer *)handle, s);
}

/* ---------------------------------------------------------------- arguments that cannot be */

static void models(void) {
    const size_t hidden[2] = {4, 4}, endless[2] = {HUGE_SIZE, HUGE_SIZE};
    causal_mlp_options options = CAUSAL_MLP_OPTIONS_INIT;
    causal_model *model, *again;
    char network[4096];
    options.inputs = N;
    options.outputs = 1;
    options.hidden = hidden;
    options.hidden_count = 2;
    EXPECT(CAUSAL_ERROR_NULL, causal_model_create_mlp(NULL, &options));
    EXPECT(CAUSAL_ERROR_NULL, causal_model_create_mlp(&model, NULL));
    EXPECT(CAUSAL_ERROR_VALUE, causal_model_create_unit(&model, &options));
#define WITH(field, value, status) \
    do { \
        causal_mlp_options wrong = options; \
        wrong.field = value; \
        EXPECT(status, causal_model_create_mlp(&model, &wrong)); \
    } while (0)
    WITH(size, 0, CAUSAL_ERROR_VALUE);
    WITH(size, HUGE_SIZE, CAUSAL_ERROR_VALUE);
    WITH(inputs, 0, CAUSAL_ERROR_VALUE);
    WITH(inputs, HUGE_SIZE, CAUSAL_ERROR_MEMORY);
    WITH(outputs, HUGE_SIZE / 8, CAUSAL_ERROR_MEMORY);
    WITH(hidden, NULL, CAUSAL_ERROR_NULL);
    WITH(hidden, endless, CAUSAL_ERROR_MEMORY);
    WITH(hidden_count, HUGE_SIZE, CAUSAL_ERROR_MEMORY);
    WITH(activation, "swish", CAUSAL_ERROR_VALUE);
    WITH(activation, "\xff\xfe", CAUSAL_ERROR_VALUE);
    WITH(activation, NULL, CAUSAL_ERROR_NULL);
    WITH(dtype, (causal_dtype)9, CAUSAL_ERROR_DTYPE);
#undef WITH
    EXPECT(CAUSAL_ERROR_HANDLE, causal_model_create_rewiring(&model, &options, (const causal_graph *)bytes));
    EXPECT(CAUSAL_ERROR_NULL, causal_model_create_network(&model, &options, NULL));
    EXPECT(CAUSAL_ERROR_FILE, causal_model_create_network(&model, &options, "{\"nodes\":[],\"output\":0}"));
    EXPECT(CAUSAL_ERROR_FILE, causal_model_create_network(&model, &options, "[[[[[[[["));
    OK(causal_model_create_mlp(&model, &options));
    OK(causal_model_network(model, network, sizeof network, sizes));
    OK(causal_model_create_network(&again, &options, network));
    OK(causal_model_free(again));
    EXPECT(CAUSAL_ERROR_NAME, causal_model_site_width(model, 4, sizes));
    EXPECT(CAUSAL_ERROR_NAME, causal_model_tensor_shape(model, HUGE_SIZE, sizes, sizes, sizes));
    EXPECT(CAUSAL_ERROR_NAME, causal_model_tensor_name(model, 6, text, sizeof text, NULL));
    EXPECT(CAUSAL_ERROR_SHAPE, causal_model_get_parameters(model, numbers, CAUSAL_FLOAT32, 1));
    EXPECT(CAUSAL_ERROR_DTYPE, causal_model_set_parameters(model, numbers, CAUSAL_FLOAT64, 41));
    EXPECT(CAUSAL_ERROR_SHAPE,
           causal_model_predict(model, NULL, numbers, CAUSAL_FLOAT32, 2, N + 1, NULL, doubles, CAUSAL_FLOAT32, 2, 1));
    EXPECT(CAUSAL_ERROR_SHAPE,
           causal_model_predict(model, NULL, numbers, CAUSAL_FLOAT32, 2, N, NULL, doubles, CAUSAL_FLOAT32, 3, 1));
    EXPECT(CAUSAL_ERROR_DTYPE,
           causal_model_predict(model, NULL, numbers, CAUSAL_FLOAT64, 2, N, NULL, doubles, CAUSAL_FLOAT32, 2, 1));
    EXPECT(CAUSAL_ERROR_MEMORY, causal_model_predict(model, NULL, numbers, CAUSAL_FLOAT32, HUGE_SIZE, N, NULL, doubles,
                                                     CAUSAL_FLOAT32, HUGE_SIZE, 1));
    EXPECT(CAUSAL_ERROR_NULL, causal_model_predict(model, NULL, NULL, CAUSAL_FLOAT32, 2, N, NULL, doubles, CAUSAL_FLOAT32, 2, 1));
    OK(causal_model_predict(model, NULL, NULL, CAUSAL_FLOAT32, 0, N, NULL, NULL, CAUSAL_FLOAT32, 0, 1));
    EXPECT(CAUSAL_ERROR_FILE, causal_model_load(&model, "/no/such/file"));
    EXPECT(CAUSAL_ERROR_FILE, causal_model_load(&model, "/dev/zero"));
    EXPECT(CAUSAL_ERROR_FILE, causal_model_load(&model, "/"));
    EXPECT(CAUSAL_ERROR_FILE, causal_model_decode(&model, "not a checkpoint", 16));
    EXPECT(CAUSAL_ERROR_FILE, causal_model_decode(&model, bytes, (size_t)1 << 50));
    EXPECT(CAUSAL_ERROR_FILE, causal_model_decode(&model, "\xff\xff\xff\xff\xff\xff\xff\xff{}", 10));
    EXPECT(CAUSAL_ERROR_FILE, causal_model_save(model, NULL, "/no/such/folder/file", NULL));
    OK(causal_model_free(model));
    EXPECT(CAUSAL_ERROR_HANDLE, causal_model_free(model));
}

static void networks_that_obey_a_graph(void) {
    static const uint8_t triangle[N * N] = {0, 1, 1, 0, 0, 1, 0, 0, 0}, ring[N * N] = {0, 1, 0, 0, 0, 1, 1, 0, 0}, second[N] = {0, 1, 0};
    static const size_t backwards[N] = {2, 1, 0}, twice[N] = {0, 1, 1}, wrong[N] = {0, 1, HUGE_SIZE}, wide = 4, narrow = 1;
    static const float x[2 * N] = {1, NAN, 2, NAN, NAN, NAN}, values[N] = {0, 7, 0}, dy[2 * N] = {1, 1, 1, 0, 0, 0};
    causal_mlp_options options = CAUSAL_MLP_OPTIONS_INIT;
    causal_gradients gradients = CAUSAL_GRADIENTS_INIT;
    causal_graph *graph, *cyclic;
    causal_intervention *intervention;
    causal_trace *trace;
    causal_model *model;
    float y[2 * N], dx[2 * N];
    OK(causal_graph_create(&graph, triangle, N, NULL));
    OK(causal_graph_create(&cyclic, ring, N, NULL));
    options.inputs = options.outputs = N;
    options.hidden = &wide;
    options.hidden_count = 1;
    EXPECT(CAUSAL_ERROR_NULL, causal_model_create_graph_mlp(NULL, &options, graph, NULL));
    EXPECT(CAUSAL_ERROR_NULL, causal_model_create_graph_mlp(&model, NULL, graph, NULL));
    EXPECT(CAUSAL_ERROR_NULL, causal_model_create_graph_mlp(&model, &options, NULL, NULL));
    EXPECT(CAUSAL_ERROR_HANDLE, causal_model_create_graph_mlp(&model, &options, (const causal_graph *)bytes, NULL));
    EXPECT(CAUSAL_ERROR_CYCLE, causal_model_create_graph_mlp(&model, &options, cyclic, NULL));
    EXPECT(CAUSAL_ERROR_VALUE, causal_model_create_graph_mlp(&model, &options, graph, twice));
    EXPECT(CAUSAL_ERROR_NAME, causal_model_create_graph_mlp(&model, &options, graph, wrong));
    options.hidden = &narrow;
    EXPECT(CAUSAL_ERROR_VALUE, causal_model_create_graph_mlp(&model, &options, graph, NULL));
    options.hidden = &wide;
    options.inputs = N - 1;
    EXPECT(CAUSAL_ERROR_SHAPE, causal_model_create_graph_mlp(&model, &options, graph, NULL));
    options.inputs = 1 << 24;
    EXPECT(CAUSAL_ERROR_SHAPE, causal_model_create_graph_mlp(&model, &options, graph, backwards));
    options.inputs = HUGE_SIZE;
    EXPECT(CAUSAL_ERROR_MEMORY, causal_model_create_graph_mlp(&model, &options, graph, backwards));
    options.inputs = N - 1;
    options.outputs = 1;
    OK(causal_model_create_graph_mlp(&model, &options, graph, NULL));
    OK(causal_model_free(model));
    options.inputs = 1;
    options.outputs = N - 1;
    EXPECT(CAUSAL_ERROR_VALUE, causal_model_create_graph_mlp(&model, &options, graph, NULL));    /* one output causes another */
    options.inputs = options.outputs = N;
    options.activation = "tanh";
    OK(causal_model_create_graph_mlp(&model, &options, graph, NULL));
    OK(causal_graph_free(graph));
    OK(causal_graph_free(cyclic));
    OK(causal_intervention_create(&intervention, CAUSAL_FLOAT32));
    OK(causal_intervention_set(intervention, 0, second, 1, values, CAUSAL_FLOAT32, 1, N));
    OK(causal_trace_create(&trace, model));
    OK(causal_model_forward(model, NULL, x, CAUSAL_FLOAT32, 2, N, intervention, trace, y, CAUSAL_FLOAT32, 2, N));
    gradients.inputs = dx;
    gradients.input_rows = 2;
    gradients.input_columns = N;
    OK(causal_model_backward(model, NULL, trace, dy, CAUSAL_FLOAT32, 2, N, &gradients));
    /* What is set is answered, and read; nobody reads the last variable, which may be missing. */
    if (y[1] != 7 || y[4] != 7 || isnan(y[2]) || !isnan(y[5]) || dx[0] == 0 || dx[1] != 0 || dx[2] != 0) {
        fprintf(stderr, "misuse.c: an MLP that obeys a graph answers something else\n");
        failures++;
    }
    OK(causal_trace_free(trace));
    OK(causal_intervention_free(intervention));
    OK(causal_model_free(model));
}

static void interventions(void) {
    causal_mlp_options options = CAUSAL_MLP_OPTIONS_INIT;
    causal_model *model;
    causal_intervention *intervention;
    options.inputs = N;
    options.outputs = 1;
    OK(causal_model_create_mlp(&model, &options));
    EXPECT(CAUSAL_ERROR_DTYPE, causal_intervention_create(&intervention, (causal_dtype)9));
    OK(causal_intervention_create(&intervention, CAUSAL_FLOAT32));
    EXPECT(CAUSAL_ERROR_DTYPE, causal_intervention_set(intervention, 0, bytes, 1, doubles, CAUSAL_FLOAT64, 1, N));
    EXPECT(CAUSAL_ERROR_NULL, causal_intervention_set(intervention, 0, NULL, 1, numbers, CAUSAL_FLOAT32, 1, N));
    EXPECT(CAUSAL_ERROR_NULL, causal_intervention_set(intervention, 0, bytes, 1, NULL, CAUSAL_FLOAT32, 1, N));
    EXPECT(CAUSAL_ERROR_MEMORY, causal_intervention_set(intervention, 0, bytes, HUGE_SIZE, numbers, CAUSAL_FLOAT32, 1, N));
#define USE(status) \
    EXPECT(status, causal_model_predict(model, NULL, numbers, CAUSAL_FLOAT32, 2, N, intervention, doubles, CAUSAL_FLOAT32, 2, 1))
    OK(causal_intervention_set(intervention, 0, bytes, 1, numbers, CAUSAL_FLOAT32, 1, N));
    USE(CAUSAL_OK);
    OK(causal_intervention_set(intervention, 0, bytes, 1, numbers, CAUSAL_FLOAT32, 1, N + 1));
    USE(CAUSAL_ERROR_SHAPE);
    OK(causal_intervention_set(intervention, 0, bytes, 3, numbers, CAUSAL_FLOAT32, 1, N));
    USE(CAUSAL_ERROR_SHAPE);
    OK(causal_intervention_set(intervention, 0, bytes, 1, numbers, CAUSAL_FLOAT32, 1, N));
    OK(causal_intervention_set(intervention, 2, bytes, 1, numbers, CAUSAL_FLOAT32, 1, N));
    USE(CAUSAL_ERROR_NAME);
#undef USE
    OK(causal_intervention_free(intervention));
    OK(causal_model_free(model));
}

/* Sums of sums, 60,000 deep, with every loss in it twice each time. */
static void sums_of_sums(void) {
    const double halves[2] = {0.5, 0.5}, ones[2] = {1, 1}, infinite[2] = {1, INFINITY};
    const float prediction = 3, target = 1;
    causal_loss_arguments arguments = CAUSAL_LOSS_ARGUMENTS_INIT;
    causal_loss *loss, *sum;
    const causal_loss *terms[2];
    double value = 0;
    int i;
    arguments.prediction = &prediction;
    arguments.target = &target;
    arguments.rows = arguments.columns = arguments.target_rows = arguments.target_columns = 1;
    OK(causal_loss_create_standard(&loss, "mse"));
    for (i = 0; i < 60000 + 1024; i++) {
        terms[0] = terms[1] = loss;
        if (i == 60000) {
            OK(causal_loss_evaluate(loss, &arguments, &value, NULL));
            if (value != 4) failures++;
        }
        /* In the end the weights double until they are too large. */
        EXPECT(i == 60000 + 1023 ? CAUSAL_ERROR_VALUE : CAUSAL_OK, causal_loss_create_sum(&sum, terms, i < 60000 ? halves : ones, 2));
        if (i == 60000 + 1023) break;
        OK(causal_loss_free(loss));
        loss = sum;
    }
    EXPECT(CAUSAL_ERROR_VALUE, causal_loss_create_sum(&sum, terms, infinite, 2));
    OK(causal_loss_free(loss));
}

static void training(void) {
    causal_mlp_options options = CAUSAL_MLP_OPTIONS_INIT;
    causal_trainer_options how = CAUSAL_TRAINER_OPTIONS_INIT;
    causal_dataset data = CAUSAL_DATASET_INIT;
    causal_optimizer_options step = CAUSAL_OPTIMIZER_OPTIONS_INIT;
    causal_optimizer *optimizer;
    causal_trainer *trainer;
    causal_trainer_state state;
    causal_loss *loss;
    causal_loss_arguments arguments = CAUSAL_LOSS_ARGUMENTS_INIT;
    causal_model *model;
    causal_trace *trace;
    causal_gradients gradients = CAUSAL_GRADIENTS_INIT;
    causal_loss_gradients slopes = CAUSAL_LOSS_GRADIENTS_INIT;
    float gradient[2] = {7, 7}, weights[4] = {1, 2, 3, 4}, infinite[4] = {1, 1, INFINITY, 1};
    double value;
    options.inputs = N;
    options.outputs = 1;
    OK(causal_model_create_mlp(&model, &options));
    data.x = data.y = numbers;
    data.rows = 2;
    data.x_columns = N;
    data.y_columns = 1;
#define DATA(field, wrong_value, status) \
    do { \
        causal_dataset wrong = data; \
        wrong.field = wrong_value; \
        EXPECT(status, causal_trainer_create(&trainer, model, NULL, &wrong, NULL, &how)); \
    } while (0)
#define HOW(field, wrong_value, status) \
    do { \
        causal_trainer_options wrong = how; \
        wrong.field = wrong_value; \
        EXPECT(status, causal_trainer_create(&trainer, model, NULL, &data, NULL, &wrong)); \
    } while (0)
    DATA(rows, 0, CAUSAL_ERROR_SHAPE);
    DATA(rows, HUGE_SIZE, CAUSAL_ERROR_MEMORY);
    DATA(x_columns, N + 1, CAUSAL_ERROR_SHAPE);
    DATA(y_columns, 2, CAUSAL_ERROR_SHAPE);
    DATA(dtype, CAUSAL_FLOAT64, CAUSAL_ERROR_DTYPE);
    DATA(x, NULL, CAUSAL_ERROR_NULL);
    DATA(size, 1, CAUSAL_ERROR_VALUE);
    data.rows = 1;
    DATA(x, nan_row, CAUSAL_ERROR_VALUE);
    data.rows = 2;
    DATA(intervention, (const causal_intervention *)model, CAUSAL_ERROR_HANDLE);
    HOW(schedule, "wavy", CAUSAL_ERROR_VALUE);
    HOW(epochs, 0, CAUSAL_ERROR_VALUE);
    how.schedule = "step";
    HOW(step_factor, 1e308, CAUSAL_ERROR_VALUE);
    how.schedule = "constant";
    HOW(optimizer.method, "lion", CAUSAL_ERROR_VALUE);
    HOW(optimizer.learning_rate, NAN, CAUSAL_ERROR_VALUE);
    HOW(optimizer.clip_norm, -1, CAUSAL_ERROR_VALUE);
    HOW(loss, (const causal_loss *)model, CAUSAL_ERROR_HANDLE);
    OK(causal_trainer_create(&trainer, model, NULL, &data, NULL, &how));
    EXPECT(CAUSAL_ERROR_VALUE, causal_trainer_run(trainer, NAN, &state));
    OK(causal_trainer_run(trainer, 0, NULL));
    EXPECT(CAUSAL_ERROR_NULL, causal_trainer_history(trainer, 0, NULL, 4, sizes));
    OK(causal_trainer_history(trainer, HUGE_SIZE / 4, epochs, 4, sizes));
    OK(causal_trainer_free(trainer));

    EXPECT(CAUSAL_ERROR_MEMORY, causal_optimizer_create(&optimizer, &step, CAUSAL_FLOAT32, HUGE_SIZE));
    OK(causal_optimizer_create(&optimizer, &step, CAUSAL_FLOAT32, 4));
    EXPECT(CAUSAL_ERROR_SHAPE, causal_optimizer_step(optimizer, model, NULL, numbers, CAUSAL_FLOAT32, 5));
    EXPECT(CAUSAL_ERROR_DTYPE, causal_optimizer_step(optimizer, model, NULL, doubles, CAUSAL_FLOAT64, 4));
    EXPECT(CAUSAL_ERROR_NULL, causal_optimizer_step(optimizer, NULL, NULL, numbers, CAUSAL_FLOAT32, 4));
    EXPECT(CAUSAL_ERROR_VALUE, causal_optimizer_set_learning_rate(optimizer, INFINITY));
    EXPECT(CAUSAL_ERROR_DIVERGED, causal_optimizer_step(optimizer, NULL, weights, infinite, CAUSAL_FLOAT32, 4));
    TRUE(weights[0] == 1 && weights[1] == 2 && weights[2] == 3 && weights[3] == 4);
    OK(causal_optimizer_free(optimizer));

    EXPECT(CAUSAL_ERROR_VALUE, causal_loss_create_standard(&loss, "huber"));
    EXPECT(CAUSAL_ERROR_NULL, causal_loss_create_standard(&loss, NULL));
    EXPECT(CAUSAL_ERROR_VALUE, causal_loss_create_intervention(&loss, "huber", 1));
    EXPECT(CAUSAL_ERROR_NULL, causal_loss_create_counterfactual(NULL));
    EXPECT(CAUSAL_ERROR_NULL, causal_loss_create_consistency(NULL));
    EXPECT(CAUSAL_ERROR_NULL, causal_loss_create_independence(NULL));
    EXPECT(CAUSAL_ERROR_VALUE, causal_loss_create_regularization(&loss, NAN));
    EXPECT(CAUSAL_ERROR_NULL, causal_loss_create_sum(&loss, NULL, NULL, 2));
    sums_of_sums();
    OK(causal_loss_create_standard(&loss, "mse"));
    EXPECT(CAUSAL_ERROR_NULL, causal_loss_evaluate(loss, &arguments, &value, NULL));
    arguments.prediction = arguments.target = numbers;
    arguments.columns = arguments.target_columns = 1;
    EXPECT(CAUSAL_ERROR_SHAPE, causal_loss_evaluate(loss, &arguments, &value, NULL));
    arguments.rows = 2;
    arguments.target_rows = 3;
    slopes.prediction = gradient;
    EXPECT(CAUSAL_ERROR_SHAPE, causal_loss_evaluate(loss, &arguments, &value, &slopes));
    if (gradient[0] != 7 || gradient[1] != 7) failures++, fprintf(stderr, "misuse.c: a refused loss wrote its gradient\n");
    arguments.rows = arguments.target_rows = HUGE_SIZE;
    arguments.columns = arguments.target_columns = 2;
    EXPECT(CAUSAL_ERROR_MEMORY, causal_loss_evaluate(loss, &arguments, &value, NULL));
    OK(causal_loss_free(loss));

    OK(causal_trace_create(&trace, model));
    EXPECT(CAUSAL_ERROR_STATE, causal_model_backward(model, NULL, trace, numbers, CAUSAL_FLOAT32, 1, 1, &gradients));
    OK(causal_model_forward(model, NULL, numbers, CAUSAL_FLOAT32, 2, N, NULL, trace, doubles, CAUSAL_FLOAT32, 2, 1));
    EXPECT(CAUSAL_ERROR_SHAPE, causal_model_backward(model, NULL, trace, numbers, CAUSAL_FLOAT32, 1, 1, &gradients));
    EXPECT(CAUSAL_ERROR_NULL, causal_model_backward(model, NULL, trace, numbers, CAUSAL_FLOAT32, 2, 1, NULL));
    void *tensors[2] = {NULL, (char *)gradient + 1};
    gradients.tensors = tensors;
    gradients.tensor_count = 1;
    EXPECT(CAUSAL_ERROR_SHAPE, causal_model_backward(model, NULL, trace, numbers, CAUSAL_FLOAT32, 2, 1, &gradients));
    gradients.tensor_count = 2;
    EXPECT(CAUSAL_ERROR_VALUE, causal_model_backward(model, NULL, trace, numbers, CAUSAL_FLOAT32, 2, 1, &gradients));
    tensors[1] = gradient;
    OK(causal_model_backward(model, NULL, trace, numbers, CAUSAL_FLOAT32, 2, 1, &gradients));
    gradients.parameters = doubles;
    gradients.parameter_count = N + 1;
    EXPECT(CAUSAL_ERROR_VALUE, causal_model_backward(model, NULL, trace, numbers, CAUSAL_FLOAT32, 2, 1, &gradients));
    OK(causal_model_free(model));
    EXPECT(CAUSAL_ERROR_HANDLE, causal_model_backward(model, NULL, trace, numbers, CAUSAL_FLOAT32, 2, 1, &gradients));
    OK(causal_trace_free(trace));
}

int main(void) {
    causal_mlp_options options = CAUSAL_MLP_OPTIONS_INIT;
    causal_graph *stale;
    causal_model *live;
    options.inputs = N;
    options.outputs = 1;
    OK(causal_model_create_mlp(&live, &options));
    OK(causal_graph_create(&stale, bytes, 1, NULL));
    OK(causal_graph_free(stale));

    bad_everything(NULL, live, CAUSAL_ERROR_NULL);
    bad_everything(stale, live, CAUSAL_ERROR_HANDLE);
    bad_everything(bytes, live, CAUSAL_ERROR_HANDLE);
    bad_everything((void *)(uintptr_t)1, live, CAUSAL_ERROR_HANDLE);
    bad_everything((void *)UINTPTR_MAX, live, CAUSAL_ERROR_HANDLE);
    bad_trainer((causal_trainer *)live, CAUSAL_ERROR_HANDLE);
    bad_loss((causal_loss *)live, CAUSAL_ERROR_HANDLE);
    OK(causal_graph_create(&stale, bytes, 1, NULL));
    bad_model((causal_model *)stale, CAUSAL_ERROR_HANDLE);
    bad_trace(live, (causal_trace *)stale, CAUSAL_ERROR_HANDLE);
    OK(causal_graph_free(stale));
    OK(causal_model_free(live));

    OK(causal_intervention_free(NULL));
    OK(causal_model_free(NULL));
    OK(causal_trace_free(NULL));
    OK(causal_loss_free(NULL));
    OK(causal_optimizer_free(NULL));
    OK(causal_trainer_free(NULL));
    OK(causal_lend_threads(NULL));
    EXPECT(CAUSAL_ERROR_NULL, causal_version(NULL));
    EXPECT(CAUSAL_ERROR_VALUE, causal_set_threads(0));
    EXPECT(CAUSAL_ERROR_VALUE, causal_set_threads(HUGE_SIZE));
    EXPECT(CAUSAL_ERROR_NULL, causal_get_threads(NULL));
    if (causal_status_name((causal_status)99) == NULL) failures++;

    models();
    networks_that_obey_a_graph();
    interventions();
    training();
    if (failures == 0) printf("misuse: every call was refused as it should be\n");
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
