/* OpenBLAS starts a thread for every other processor as it is loaded. Ours, linked into the library, needs none: the engine's
 * own threads divide the work. Its constructor leaves these two numbers alone where they are set before it runs. They are not part
 * of its interface, hence weak: a version without them goes on as it does, until openblas_set_num_threads. */
#ifdef CAUSAL_STATIC
extern int blas_num_threads __attribute__((weak));
extern int blas_cpu_number __attribute__((weak));

__attribute__((constructor(101))) static void start_no_threads(void) {
    if (&blas_num_threads == 0 || &blas_cpu_number == 0) return;
    blas_num_threads = 1;
    blas_cpu_number = 1;
}
#endif
