/* The totals of several vectors at once: as many vectors as each has lanes, and of each the sum of its lanes. Neighbouring lanes of two vectors are added
 * into one vector until a single one is left. It is here since Swift knows no shuffles, and lanes that are named one by one are taken out of
 * registers one by one. Compiled with the kernels, for the processor that they are for. */
#ifndef CAUSAL_LANES_H
#define CAUSAL_LANES_H

#define CAUSAL_TOTALS(name, scalar, lanes, evens, odds)                                                                   \
    static inline void name(const scalar *vectors, scalar *totals) {                                                      \
        typedef scalar vector __attribute__((ext_vector_type(lanes), aligned(sizeof(scalar))));                           \
        vector v[lanes];                                                                                                  \
        for (int i = 0; i < lanes; i++) v[i] = ((const vector *)vectors)[i];                                              \
        for (int count = lanes / 2; count > 0; count /= 2)                                                                \
            for (int i = 0; i < count; i++)                                                                               \
                v[i] = __builtin_shufflevector(v[2 * i], v[2 * i + 1], evens) + __builtin_shufflevector(v[2 * i], v[2 * i + 1], odds); \
        *(vector *)totals = v[0];                                                                                         \
    }
#define CAUSAL_EVENS_4 0, 2, 4, 6
#define CAUSAL_EVENS_8 CAUSAL_EVENS_4, 8, 10, 12, 14
#define CAUSAL_EVENS_16 CAUSAL_EVENS_8, 16, 18, 20, 22, 24, 26, 28, 30
#define CAUSAL_ODDS_4 1, 3, 5, 7
#define CAUSAL_ODDS_8 CAUSAL_ODDS_4, 9, 11, 13, 15
#define CAUSAL_ODDS_16 CAUSAL_ODDS_8, 17, 19, 21, 23, 25, 27, 29, 31

#ifdef __clang__
CAUSAL_TOTALS(causal_totals_float_8, float, 8, CAUSAL_EVENS_8, CAUSAL_ODDS_8)
CAUSAL_TOTALS(causal_totals_double_4, double, 4, CAUSAL_EVENS_4, CAUSAL_ODDS_4)
CAUSAL_TOTALS(causal_totals_float_16, float, 16, CAUSAL_EVENS_16, CAUSAL_ODDS_16)
CAUSAL_TOTALS(causal_totals_double_8, double, 8, CAUSAL_EVENS_8, CAUSAL_ODDS_8)
#endif

#endif
