internal import CausalKernels

/// A matrix as a product reads it: element (i, p) is `pointer[i * stride + p]`, or `pointer[p * stride + i]` transposed.
struct Operand<Scalar> {
    let pointer: UnsafePointer<Scalar>
    let stride: Int
    let isTransposed: Bool

    var rowStride: Int { isTransposed ? 1 : stride }
    var columnStride: Int { isTransposed ? stride : 1 }

    init(_ pointer: UnsafePointer<Scalar>, stride: Int, isTransposed: Bool = false) {
        self.pointer = pointer
        self.stride = stride
        self.isTransposed = isTransposed
    }

    func rows(from first: Int) -> Operand { Operand(pointer + first * rowStride, stride: stride, isTransposed: isTransposed) }
}

/// `c = f(a b + bias)`, on our own kernels where the matrices are small and in chunks of BLAS where they are large. Which of them,
/// and which chunks, depends on the sizes alone, so that the bits do not depend on the number of threads.
struct Product {
    let rows: Int
    let columns: Int
    let depth: Int

    /// From this many multiply-adds on OpenBLAS is faster than our kernels.
    static let largeWork = 1 << 20
    /// The multiply-adds worth one chunk, and the most chunks of one product.
    static let chunkWork = 1 << 21
    static let mostChunks = 32

    private var work: Int { rows * columns * depth }
    private var isLarge: Bool { work >= Product.largeWork }

    /// Scratch elements that the product needs.
    func panelCount<Scalar: EngineScalar>(_: Scalar.Type) -> Int {
        let width = Scalar.kernels.panelWidth
        return isLarge ? 0 : depth * ((columns + width - 1) / width * width)
    }

    /// `f` is the identity unless an activation is given; with `accumulates` the product is added to `c` (and has no `f`).
    func callAsFunction<Scalar: EngineScalar>(
        _ a: Operand<Scalar>, _ b: Operand<Scalar>, bias: UnsafePointer<Scalar>? = nil, activation: Activation = .identity,
        accumulates: Bool = false, into c: UnsafeMutablePointer<Scalar>, panels: UnsafeMutablePointer<Scalar>
    ) {
        guard rows > 0 else { return }
        let kernels = Scalar.kernels
        guard isLarge else {
            kernels.pack(b.pointer, depth: depth, columns: columns, rowStride: b.rowStride, columnStride: b.columnStride, into: panels)
            kernels.multiply(a.pointer, rowStride: a.rowStride, stepStride: a.columnStride, panels: panels, bias: bias, activation: activation,
                             accumulate: accumulates, into: c, rows: rows, columns: columns, depth: depth)
            if ![.identity, .relu, .leakyRelu].contains(activation) { kernels.activate(activation, c, into: c, count: rows * columns) }
            return
        }
        let chunks = min(max(work / Product.chunkWork, 1), Product.mostChunks, rows)
        let chunkRows = (rows + chunks - 1) / chunks
        Threads.run(chunks: (rows + chunkRows - 1) / chunkRows, work: work) { chunk in
            let first = chunk * chunkRows, count = min(chunkRows, rows - first)
            let part = a.rows(from: first), out = c + first * columns
            Scalar.gemm(transposeA: part.isTransposed, transposeB: b.isTransposed, rows: count, columns: columns, depth: depth,
                        part.pointer, strideA: part.stride, b.pointer, strideB: b.stride, beta: accumulates ? 1 : 0, out, strideC: columns)
            if let bias { kernels.addBias(bias, to: out, into: out, rows: count, columns: columns) }
            if activation != .identity { kernels.activate(activation, out, into: out, count: count * columns) }
        }
    }
}

extension Plan {
    /// Scratch elements for the products of a forward and a backward pass over `rows` rows.
    func panelCount<Scalar: EngineScalar>(_ type: Scalar.Type, rows: Int) -> Int {
        var most = 0
        for case .dense(let dense) in steps {
            most = max(most, dense.forwardProduct(rows).panelCount(type),
                       dense.inputGradientProduct(rows).panelCount(type), dense.weightGradientProduct(rows).panelCount(type))
        }
        return most
    }
}

extension Plan.Dense {
    func forwardProduct(_ rows: Int) -> Product { Product(rows: rows, columns: outputs, depth: inputs) }
    func inputGradientProduct(_ rows: Int) -> Product { Product(rows: rows, columns: inputs, depth: outputs) }
    func weightGradientProduct(_ rows: Int) -> Product { Product(rows: outputs, columns: inputs, depth: rows) }
}
