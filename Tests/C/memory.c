/* A process that may have only so much memory: a large graph is refused, or made, but never the end of the host. */
#define _POSIX_C_SOURCE 200809L
#include <causal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

enum { N = 6000 };
static uint8_t adjacency[(size_t)N * N];

static rlim_t bytes_in_use(void) {
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL || fscanf(file, "%lu", &pages) != 1) exit(EXIT_FAILURE);
    fclose(file);
    return (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE);
}

int main(void) {
    struct rlimit limit;
    causal_graph *graph;
    causal_status status = CAUSAL_OK;
    int i, j, megabytes, refused = 0;
    for (i = 0; i < N; i++) for (j = i + 1; j < N; j++) adjacency[(size_t)i * N + j] = 1;
    getrlimit(RLIMIT_AS, &limit);
    for (megabytes = 8; megabytes <= 128; megabytes += 8) {
        limit.rlim_cur = bytes_in_use() + ((rlim_t)megabytes << 20);
        setrlimit(RLIMIT_AS, &limit);
        status = causal_graph_create(&graph, adjacency, N, NULL);
        if (status == CAUSAL_OK) break;
        if (status != CAUSAL_ERROR_MEMORY) {
            fprintf(stderr, "memory: %s\n", causal_last_error());
            return EXIT_FAILURE;
        }
        refused++;
    }
    if (status != CAUSAL_OK || refused == 0 || causal_graph_free(graph) != CAUSAL_OK) {
        fprintf(stderr, "memory: 18 million edges were %s\n", refused == 0 ? "never refused" : "always refused");
        return EXIT_FAILURE;
    }
    printf("memory: a graph that does not fit is refused\n");
    return EXIT_SUCCESS;
}
