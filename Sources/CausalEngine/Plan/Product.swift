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
    func columns(from first: Int) -> Operand { Operand(pointer + first * columnStride, stride: stride, isTransposed: isTransposed) }
}

/// `c = f(a b + bias)`, on our own kernels where the matrices are small and in tiles of BLAS where they are large. Which of them,
/// and which tiles, depends on the sizes alone, so that the bits do not depend on the number of threads.
struct Product {
    let rows: Int
    let columns: Int
    let depth: Int

    /// From this many multiply-adds on OpenBLAS is faster than our kernels.
    static let largeWork = 1 << 20
    /// The largest tile that one call of BLAS computes: small enough for many threads to have one, large enough that packing its
    /// operands costs little beside multiplying them.
    static let tileRows = 128
    static let tileColumns = 256
    /// From this many multiply-adds on there are enough tiles that are four times as high and twice as wide.
    static let veryLargeWork = 1 << 26

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
            if rows == 1, a.columnStride == 1, b.rowStride == 1 {
                // One row: the weights are read once as they lie, which packing them would take longer than.
                if let bias, !accumulates { c.update(from: bias, count: columns) }
                kernels.multiply(b.pointer, rowStride: b.columnStride, vector: a.pointer, bias: nil, activation: activation,
                                 accumulate: accumulates || bias != nil, into: c, rows: columns, depth: depth)
            } else if columns == 1, a.columnStride == 1, b.rowStride == 1 {
                kernels.multiply(a.pointer, rowStride: a.rowStride, vector: b.pointer, bias: bias, activation: activation,
                                 accumulate: accumulates, into: c, rows: rows, depth: depth)
            } else {
                let width = kernels.panelWidth
                // A matrix as wide as a panel is one.
                let isPanel = columns == width && b.rowStride == width && b.columnStride == 1
                if !isPanel { kernels.pack(b.pointer, depth: depth, columns: columns, rowStride: b.rowStride, columnStride: b.columnStride, into: panels) }
                kernels.multiply(a.pointer, rowStride: a.rowStride, stepStride: a.columnStride, panels: isPanel ? b.pointer : UnsafePointer(panels),
                                 bias: bias, activation: activation, accumulate: accumulates, into: c, rows: rows, columns: columns, depth: depth)
            }
            if ![.identity, .relu, .leakyRelu].contains(activation) { kernels.activate(activation, c, into: c, count: rows * columns) }
            return
        }
        let isVeryLarge = work >= Product.veryLargeWork
        let tileRows = (isVeryLarge ? 4 : 1) * Product.tileRows, tileColumns = (isVeryLarge ? 2 : 1) * Product.tileColumns
        let tilesDown = (rows + tileRows - 1) / tileRows, tilesAcross = (columns + tileColumns - 1) / tileColumns
        let height = (rows + tilesDown - 1) / tilesDown, width = (columns + tilesAcross - 1) / tilesAcross
        Threads.run(chunks: tilesDown * tilesAcross, work: work) { tile in
            let row = tile / tilesAcross * height, column = tile % tilesAcross * width
            let height = min(height, rows - row), width = min(width, columns - column)
            let left = a.rows(from: row), right = b.columns(from: column), out = c + row * columns + column
            if let bias {
                for i in 0..<height { (out + i * columns).update(from: bias + column, count: width) }
            }
            Scalar.gemm(transposeA: left.isTransposed, transposeB: right.isTransposed, rows: height, columns: width, depth: depth,
                        left.pointer, strideA: left.stride, right.pointer, strideB: right.stride,
                        beta: accumulates || bias != nil ? 1 : 0, out, strideC: columns)
            if activation != .identity {
                for i in 0..<height { kernels.activate(activation, out + i * columns, into: out + i * columns, count: width) }
            }
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
