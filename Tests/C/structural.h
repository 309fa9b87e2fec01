/* What the tests of scenarios and structural models in C share: rows to learn from, and a model of them. */
#ifndef STRUCTURAL_H
#define STRUCTURAL_H

#include "check.h"
#include <pthread.h>

enum { X, Y, Z, N, ROWS = 40, MEMBERS = 20 };
static double data[ROWS][N], answer[ROWS][N];

/* Sizes that nothing has. */
enum { ABSURD = 5 };
static const size_t absurd[ABSURD] = {HUGE_SIZE, HUGE_SIZE / 2, HUGE_SIZE / 4, HUGE_SIZE / 16, HUGE_SIZE / 64};

/* x -> y, x -> z, y -> z. */
static causal_graph *new_graph(void) {
    static const uint8_t edges[N * N] = {0, 1, 1, 0, 0, 1, 0, 0, 0};
    const char *const names[N] = {"x", "y", "z"};
    causal_graph *graph;
    OK(causal_graph_create(&graph, edges, N, names));
    return graph;
}

static void make_data(void) {
    int i;
    for (i = 0; i < ROWS; i++) {
        data[i][X] = sin(i);
        data[i][Y] = data[i][X] + cos(3 * i);
        data[i][Z] = i % 3;
    }
}

/* x real, y real, z of three levels. */
static causal_structural_model *new_model(size_t members) {
    causal_structural_options options = CAUSAL_STRUCTURAL_OPTIONS_INIT;
    causal_mechanism kinds[N] = {CAUSAL_MECHANISM_INIT, CAUSAL_MECHANISM_INIT, CAUSAL_MECHANISM_INIT};
    causal_structural_trainer *trainer;
    causal_structural_model *model = NULL;
    causal_graph *graph = new_graph();
    options.epochs = 2;
    options.members = members;
    kinds[Y].kind = kinds[Z].kind = "linear";
    kinds[Z].levels = 3;
    OK(causal_structural_trainer_create(&trainer, graph, kinds, data[0], NULL, ROWS, N, &options));
    OK(causal_structural_trainer_run(trainer, INFINITY, NULL));
    OK(causal_structural_trainer_model(trainer, &model));
    OK(causal_structural_trainer_free(trainer));
    OK(causal_graph_free(graph));
    return model;
}

#endif
