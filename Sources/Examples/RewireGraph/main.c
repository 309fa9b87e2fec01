/* Builds a graph, intervenes, and prints the edges that are left.
 *
 *     smoking -> tar -> cancer,  genes -> smoking,  genes -> cancer
 *
 *     cc -Iinclude main.c -lCausal -o rewire && ./rewire
 */
#include <causal.h>
#include <stdio.h>
#include <stdlib.h>

enum { GENES, SMOKING, TAR, CANCER, COUNT };
static const char *const names[COUNT] = {"genes", "smoking", "tar", "cancer"};

static void check(causal_status status) {
    if (status == CAUSAL_OK) return;
    fprintf(stderr, "%s: %s\n", causal_status_name(status), causal_last_error());
    exit(EXIT_FAILURE);
}

static void show(const char *title, const causal_graph *graph) {
    uint8_t edges[COUNT][COUNT];
    int i, j;
    check(causal_graph_adjacency(graph, &edges[0][0], COUNT));
    printf("%s\n", title);
    for (i = 0; i < COUNT; i++)
        for (j = 0; j < COUNT; j++)
            if (edges[i][j]) printf("  %s -> %s\n", names[i], names[j]);
}

int main(void) {
    uint8_t edges[COUNT][COUNT] = {{0}}, set[COUNT] = {0};
    const float x[COUNT] = {1, 1, 1, 1};
    float before[COUNT], after[COUNT], values[COUNT] = {0};
    size_t order[COUNT], i;
    causal_graph *graph, *rewired, *cyclic;
    causal_mlp_options options = CAUSAL_MLP_OPTIONS_INIT;
    causal_model *layer;
    causal_intervention *cut;

    edges[GENES][SMOKING] = edges[GENES][CANCER] = edges[SMOKING][TAR] = edges[TAR][CANCER] = 1;
    check(causal_graph_create(&graph, &edges[0][0], COUNT, names));
    show("as it is:", graph);
    check(causal_graph_topological_order(graph, order));
    printf("causes first:");
    for (i = 0; i < COUNT; i++) printf(" %s", names[order[i]]);
    printf("\n");

    set[SMOKING] = 1;
    check(causal_graph_intervene(graph, set, COUNT, &rewired));
    show("after do(smoking):", rewired);

    /* A layer whose weights obey the graph: under do(smoking) nothing reaches smoking but its bias. */
    options.inputs = options.outputs = COUNT;
    check(causal_model_create_rewiring(&layer, &options, graph));
    check(causal_intervention_create(&cut, CAUSAL_FLOAT32));
    check(causal_intervention_set(cut, 0, set, 1, values, CAUSAL_FLOAT32, 1, COUNT));
    check(causal_model_predict(layer, NULL, x, CAUSAL_FLOAT32, 1, COUNT, NULL, before, CAUSAL_FLOAT32, 1, COUNT));
    check(causal_model_predict(layer, NULL, x, CAUSAL_FLOAT32, 1, COUNT, cut, after, CAUSAL_FLOAT32, 1, COUNT));
    for (i = 0; i < COUNT; i++) printf("%-8s %s\n", names[i], before[i] == after[i] ? "as before" : "cut from its causes");

    edges[CANCER][GENES] = 1;
    check(causal_graph_create(&cyclic, &edges[0][0], COUNT, names));
    if (causal_graph_topological_order(cyclic, order) == CAUSAL_ERROR_CYCLE) printf("refused: %s\n", causal_last_error());

    check(causal_intervention_free(cut));
    check(causal_model_free(layer));
    check(causal_graph_free(cyclic));
    check(causal_graph_free(rewired));
    check(causal_graph_free(graph));
    return EXIT_SUCCESS;
}
