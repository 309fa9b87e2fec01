/// The arithmetic of the engine over raw buffers, in one precision, compiled for one kind of processor.
///
/// Every pointer names dense row-major memory of the stated size. Nothing here checks a size, allocates, or keeps a
/// pointer: callers have checked. Results do not depend on anything but the arguments, so equal arguments give equal
/// bits.
public protocol KernelSet<Scalar>: SendableMetatype {
    associatedtype Scalar: BinaryFloatingPoint

    // MARK: Products

    /// What a tile of a product covers: rows of the first operand, an even number, and columns of the second.
    static var tileRows: Int { get }
    static var tileColumns: Int { get }

    /// Copies the `depth` x `columns` matrix `b[p * rowStride + j * columnStride]` into panels of `width` columns, which is `tileColumns` or `tileRows`, the
    /// last one filled up with zeros to whole vectors (of half a `tileColumns`). `panels` holds `depth * columns` elements, columns rounded up to whole panels.
    static func pack(_ b: UnsafePointer<Scalar>, depth: Int, columns: Int, rowStride: Int, columnStride: Int, width: Int,
                     into panels: UnsafeMutablePointer<Scalar>)

    /// `c = f(a b + bias)`, or `c = f(c + a b)` when accumulating, with b in panels of `tileColumns` and the rows of c every `stride` numbers. Rows of a
    /// lie in groups of `tileRows` that begin every `tileStride`: `a[i / tileRows * tileStride + i % tileRows * rowStride + p * stepStride]`. Each
    /// element is the bias, or what it was, plus the terms in ascending order of p, whatever the number of rows and of columns. `f` is applied when it
    /// is the identity, relu or leaky relu; callers run `activate` for the others.
    static func multiply(_ a: UnsafePointer<Scalar>, rowStride: Int, stepStride: Int, tileStride: Int,
                         panels: UnsafePointer<Scalar>, bias: UnsafePointer<Scalar>?, activation: Activation, accumulate: Bool,
                         into c: UnsafeMutablePointer<Scalar>, stride: Int, rows: Int, columns: Int, depth: Int)

    /// The product with a `b` of one column, as it is: `c = f(start + a b)` with `a[i * rowStride + p]` and `start[i * startStride]`, or 0; `c` itself may be
    /// what it starts from. Sums run lane by lane, in an order that depends on the depth alone.
    static func multiply(_ a: UnsafePointer<Scalar>, rowStride: Int, vector b: UnsafePointer<Scalar>, start: UnsafePointer<Scalar>?, startStride: Int,
                         activation: Activation, into c: UnsafeMutablePointer<Scalar>, rows: Int, depth: Int)

    // MARK: Columns: one number of all rows lies together, so that rows are the lanes of the processor and narrow layers keep it busy

    /// Rows that `combine` takes at a time.
    static var columnBlock: Int { get }

    /// A layer: `y_o = f(bias_o + sum over p of weights[o * inputs + p] x_p)`, with a column every `stride` numbers. `rows` is a multiple of `columnBlock`.
    /// Each element sums over p in ascending order, whatever its row. An `f` whose derivative asks for its input is not applied; callers keep the sums and
    /// run `activate`.
    static func combine(_ x: UnsafePointer<Scalar>, inputs: Int, weights: UnsafePointer<Scalar>, bias: UnsafePointer<Scalar>, activation: Activation,
                        into y: UnsafeMutablePointer<Scalar>, outputs: Int, stride: Int, rows: Int)

    /// The way back through a layer and the activation before it: `target_p = f'_p sum over o of weights[o * inputs + p] g_o`, where `f'` is found from
    /// what the activation gave, y, or from what it took, x, as in `activationGradient`. `target` may be y or x.
    static func passBack(_ g: UnsafePointer<Scalar>, outputs: Int, weights: UnsafePointer<Scalar>, activation: Activation,
                         output y: UnsafePointer<Scalar>, input x: UnsafePointer<Scalar>?, into target: UnsafeMutablePointer<Scalar>, inputs: Int,
                         stride: Int, rows: Int)

    /// `c[o * inputs + p] (+)=` the sum over rows of `g_o x_p`: what the weights of a layer get, from the gradients of its outputs and from its
    /// inputs. `rows` is a multiple of `columnBlock`. `panel` has room for `columnRun` rows, or as many as there are, of `tileColumns`.
    static func columnProducts(_ g: UnsafePointer<Scalar>, outputs: Int, _ x: UnsafePointer<Scalar>, inputs: Int, stride: Int, rows: Int,
                               accumulate: Bool, panel: UnsafeMutablePointer<Scalar>, into c: UnsafeMutablePointer<Scalar>)

    /// Rows that `columnProducts` brings into order at a time.
    static var columnRun: Int { get }

    /// `sums[o] (+)=` the sum over rows of column o.
    static func columnTotals(_ g: UnsafePointer<Scalar>, columns: Int, stride: Int, rows: Int, accumulate: Bool, into sums: UnsafeMutablePointer<Scalar>)

    // MARK: Random numbers

    /// Block number `block` of many streams of Philox4x32-10 at once: the four words of stream `streams[i]` as two of 64 bits, `first[i]` and
    /// `second[i]`. `count` is a multiple of 8.
    static func philox(key: (UInt32, UInt32), purpose: UInt32, streams: UnsafePointer<UInt64>, block: UInt64,
                       first: UnsafeMutablePointer<UInt64>, second: UnsafeMutablePointer<UInt64>, count: Int)

    // MARK: Covariances. `stride` and `count` or `rows` are multiples of 64 bytes, filled up with zeros.

    /// One step of a Cholesky factorisation of a covariance matrix, for all columns at once: `next = (row - coefficients basis) scale`, where
    /// `basis` has `steps` rows of `stride` elements, and what is then left of variances and of covariances with a target, whose own element
    /// of `next` is `target`: `variances -= next^2`, `covariances -= next target`.
    static func eliminate(_ row: UnsafePointer<Scalar>, basis: UnsafePointer<Scalar>, stride: Int, coefficients: UnsafePointer<Scalar>,
                          steps: Int, scale: Scalar, target: Scalar, into next: UnsafeMutablePointer<Scalar>,
                          variances: UnsafeMutablePointer<Scalar>, covariances: UnsafeMutablePointer<Scalar>, count: Int)

    /// `sums[k] += x . y_k` for `columns` vectors y, each `stride` after the last. The bits of a sum depend on x and on y_k alone.
    static func products(_ x: UnsafePointer<Scalar>, _ y: UnsafePointer<Scalar>, stride: Int, rows: Int, columns: Int,
                         addingTo sums: UnsafeMutablePointer<Scalar>)

    // MARK: Elementwise

    /// `y = f(x)`; the two may be the same memory.
    static func activate(_ activation: Activation, _ x: UnsafePointer<Scalar>, into y: UnsafeMutablePointer<Scalar>, count: Int)

    /// `target = g f'`, where `f'` is found from the output `y`, or from the input `x` where the activation needs it; `target` may be any of them.
    /// The derivative of an element whose gradient is exactly zero is not looked at: what do() cut stays zero even
    /// where `y` or `x` is not a number.
    static func activationGradient(_ activation: Activation, output y: UnsafePointer<Scalar>, input x: UnsafePointer<Scalar>?,
                                   gradient g: UnsafePointer<Scalar>, into target: UnsafeMutablePointer<Scalar>, count: Int)

    /// `y += x`.
    static func add(_ x: UnsafePointer<Scalar>, to y: UnsafeMutablePointer<Scalar>, count: Int)

    /// `y = x + bias` for every row.
    static func addBias(_ bias: UnsafePointer<Scalar>, to x: UnsafePointer<Scalar>, into y: UnsafeMutablePointer<Scalar>,
                        rows: Int, columns: Int)

    /// `sums (+)= ` the sum of each column, over rows in ascending order.
    static func columnSums(_ x: UnsafePointer<Scalar>, rows: Int, columns: Int, accumulate: Bool,
                           into sums: UnsafeMutablePointer<Scalar>)

    /// The sum of squares, in double precision.
    static func sumOfSquares(_ x: UnsafePointer<Scalar>, count: Int) -> Double

    /// `x *= factor`.
    static func scale(_ x: UnsafeMutablePointer<Scalar>, by factor: Scalar, count: Int)

    /// The index of the first infinite or NaN element, or `count`.
    static func firstNonFinite(_ x: UnsafePointer<Scalar>, count: Int) -> Int

    /// Copies columns `[sourceColumn, sourceColumn + width)` of `x` to columns from `targetColumn` of `y`, adding when asked.
    static func copyColumns(_ x: UnsafePointer<Scalar>, stride: Int, column: Int,
                            to y: UnsafeMutablePointer<Scalar>, targetStride: Int, targetColumn: Int,
                            rows: Int, width: Int, accumulate: Bool)

    // MARK: Interventions (a stride of zero means one row shared by all)

    /// `y = select(mask, values, x)`; `y` may be `x`. Where the mask is set `x` is not looked at, elsewhere `values` is not.
    static func select(_ x: UnsafePointer<Scalar>, mask: UnsafePointer<UInt8>, maskStride: Int,
                       values: UnsafePointer<Scalar>, valueStride: Int,
                       into y: UnsafeMutablePointer<Scalar>, rows: Int, columns: Int)

    /// Moves the gradient of set entries from `g`, where it becomes exactly 0, to `valueGradient` (added to what is there).
    static func selectGradient(_ g: UnsafeMutablePointer<Scalar>, mask: UnsafePointer<UInt8>, maskStride: Int,
                               valueGradient: UnsafeMutablePointer<Scalar>?, valueStride: Int, rows: Int, columns: Int)

    // MARK: Losses. Each returns the weighted sum of the entries' losses and, where asked, writes its gradient times
    // `scale`. Entries of weight zero are not looked at. No weights means that each weighs 1.

    static func squaredError(_ prediction: UnsafePointer<Scalar>, _ target: UnsafePointer<Scalar>, weights: UnsafePointer<Scalar>?,
                             scale: Double, gradient: UnsafeMutablePointer<Scalar>?, accumulate: Bool, count: Int) -> Double

    static func absoluteError(_ prediction: UnsafePointer<Scalar>, _ target: UnsafePointer<Scalar>, weights: UnsafePointer<Scalar>?,
                              scale: Double, gradient: UnsafeMutablePointer<Scalar>?, accumulate: Bool, count: Int) -> Double

    /// One loss a row: `log sum_j exp(logits_j) - logits_class`; `weights` has one entry a row.
    static func crossEntropy(logits: UnsafePointer<Scalar>, classes: UnsafePointer<Scalar>, weights: UnsafePointer<Scalar>?,
                             scale: Double, gradient: UnsafeMutablePointer<Scalar>?, accumulate: Bool,
                             rows: Int, columns: Int) -> Double

    /// The sum of absolute values; `gradient += sign(x) * scale`, with sign(0) = 0.
    static func absoluteSum(_ x: UnsafePointer<Scalar>, scale: Double, addingTo gradient: UnsafeMutablePointer<Scalar>?, count: Int) -> Double

    // MARK: Optimisers, each over a flat buffer of `count` parameters; formulas and order of operations as in torch.optim. A gradient that has been
    // used leaves its place to what the parameter was, so that there is a way back. Returns whether all parameters are finite then.

    /// `m = momentum m + g; p -= rate m` with `g` plus `decay p` (L2). Without momentum `m` is nil. On the first step `m = g`.
    static func stepSGD(_ p: UnsafeMutablePointer<Scalar>, gradient g: UnsafeMutablePointer<Scalar>, momentum m: UnsafeMutablePointer<Scalar>?,
                        rate: Double, momentumFactor: Double, decay: Double, isFirst: Bool, count: Int) -> Bool

    /// Adam (Kingma and Ba 2015, algorithm 1), with L2 decay or, when decoupled, AdamW (Loshchilov and Hutter 2019).
    static func stepAdam(_ p: UnsafeMutablePointer<Scalar>, gradient g: UnsafeMutablePointer<Scalar>,
                         mean m: UnsafeMutablePointer<Scalar>, variance v: UnsafeMutablePointer<Scalar>,
                         step: Int, rate: Double, beta1: Double, beta2: Double, epsilon: Double,
                         decay: Double, decoupled: Bool, count: Int) -> Bool
}
