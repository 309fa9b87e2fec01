/* A network trained in C and drawn by Python (plot.py beside this file), in one process and with one engine.
 *
 * y = x0 + 2 sin(x1). Every other row comes from an experiment that set x1; the x1 on record is the value from before.
 *
 *     cc -Iinclude main.c -lCausal $(python3-config --includes --ldflags --embed) -rdynamic -o plots
 *     ./plots .venv/bin/python plot.py plots.png
 */
#define _GNU_SOURCE
#include <Python.h>
#include <causal.h>
#include <dlfcn.h>
#include <math.h>

enum { ROWS = 800, DOSES = 61, EPOCHS = 100, PARAMETERS = 3 * 16 + 17 * 16 + 17 };

static void check(int good, const char *what) {
    if (good) return;
    fprintf(stderr, "%s: %s\n", what, causal_last_error());
    exit(EXIT_FAILURE);
}
#define CHECK(good) check(good, #good)

static void share(PyObject *module, const char *name, void *data, size_t bytes) {
    CHECK(PyModule_AddObject(module, name, PyMemoryView_FromMemory(data, (Py_ssize_t)bytes, PyBUF_WRITE)) == 0);
}

static float uniform(void) { return (float)(6.0 * rand() / RAND_MAX - 3); }

static void train(causal_model *model, causal_epoch *epochs) {
    static float x[ROWS][2], y[ROWS], set[ROWS][2];
    static uint8_t mask[ROWS][2];
    causal_dataset data = CAUSAL_DATASET_INIT;
    causal_trainer_options options = CAUSAL_TRAINER_OPTIONS_INIT;
    causal_intervention *experiment;
    causal_trainer *trainer;
    size_t i, done;
    for (i = 0; i < ROWS; i++) {
        x[i][0] = uniform(), x[i][1] = uniform(), set[i][1] = uniform(), mask[i][1] = i % 2;
        y[i] = x[i][0] + 2 * sinf(mask[i][1] ? set[i][1] : x[i][1]) + 0.1f * uniform();
    }
    CHECK(causal_intervention_create(&experiment, CAUSAL_FLOAT32) == CAUSAL_OK);
    CHECK(causal_intervention_set(experiment, 0, &mask[0][0], ROWS, set, CAUSAL_FLOAT32, ROWS, 2) == CAUSAL_OK);
    data.x = x, data.y = y, data.rows = ROWS, data.x_columns = 2, data.y_columns = 1, data.intervention = experiment;
    options.epochs = EPOCHS, options.schedule = "cosine";
    CHECK(causal_trainer_create(&trainer, model, NULL, &data, NULL, &options) == CAUSAL_OK);
    CHECK(causal_trainer_run(trainer, INFINITY, NULL) == CAUSAL_OK);
    CHECK(causal_trainer_history(trainer, 0, epochs, EPOCHS, &done) == CAUSAL_OK && done == EPOCHS);
    causal_trainer_free(trainer), causal_intervention_free(experiment);
}

int main(int count, char **arguments) {
    static float at[DOSES][2], set[DOSES][2], doses[DOSES], responses[DOSES], answers[DOSES], parameters[PARAMETERS];
    static causal_epoch epochs[EPOCHS];
    const size_t hidden[] = {16, 16};
    const uint8_t only_x1[] = {0, 1};
    causal_mlp_options network = CAUSAL_MLP_OPTIONS_INIT;
    causal_model *model;
    causal_intervention *question;
    PyConfig python;
    PyObject *module;
    Dl_info engine;
    FILE *program;
    size_t i, threads;

    CHECK(count == 4 /* which Python, its program, its picture */);
    network.inputs = 2, network.hidden = hidden, network.hidden_count = 2, network.outputs = 1;
    CHECK(causal_set_threads(3) == CAUSAL_OK);
    CHECK(causal_model_create_mlp(&model, &network) == CAUSAL_OK);
    train(model, epochs);
    for (i = 0; i < DOSES; i++) doses[i] = set[i][1] = 0.1f * (float)i - 3;
    CHECK(causal_intervention_create(&question, CAUSAL_FLOAT32) == CAUSAL_OK);
    CHECK(causal_intervention_set(question, 0, only_x1, 1, set, CAUSAL_FLOAT32, DOSES, 2) == CAUSAL_OK);
    CHECK(causal_model_predict(model, NULL, at, CAUSAL_FLOAT32, DOSES, 2, question,
                               responses, CAUSAL_FLOAT32, DOSES, 1) == CAUSAL_OK);
    CHECK(causal_model_get_parameters(model, parameters, CAUSAL_FLOAT32, PARAMETERS) == CAUSAL_OK);
    causal_intervention_free(question), causal_model_free(model);

    /* Python must open the very file that is loaded here: another copy of it would be a second engine. */
    CHECK(dladdr(dlsym(RTLD_DEFAULT, "causal_version"), &engine) && setenv("CAUSAL_LIBRARY", engine.dli_fname, 1) == 0);
    PyConfig_InitPythonConfig(&python); /* the name of a virtual environment's Python leads to its packages */
    CHECK(!PyStatus_Exception(PyConfig_SetBytesString(&python, &python.program_name, arguments[1])));
    CHECK(!PyStatus_Exception(Py_InitializeFromConfig(&python)));
    PyConfig_Clear(&python);
    module = PyImport_AddModule("__main__");
    share(module, "doses", doses, sizeof doses);
    share(module, "responses", responses, sizeof responses);
    share(module, "answers", answers, sizeof answers);
    share(module, "parameters", parameters, sizeof parameters);
    share(module, "epochs", epochs, sizeof epochs);
    CHECK(PyModule_AddStringConstant(module, "picture", arguments[3]) == 0);
    CHECK((program = fopen(arguments[2], "r")) != NULL && PyRun_SimpleFileEx(program, arguments[2], 1) == 0);
    CHECK(causal_get_threads(&threads) == CAUSAL_OK && threads == 1);
    CHECK(memcmp(responses, answers, sizeof answers) == 0);
    puts("C: Python has set 1, and its answers are those of C to the bit");
    return Py_FinalizeEx() == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
