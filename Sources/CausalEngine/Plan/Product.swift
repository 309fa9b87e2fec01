internal import CausalKernels

/// `c = f(a b + bias)` on dense matrices: a of (rows, depth), b of (depth, columns), either of which may lie as its transpose.
///
/// The matrices are cut so that what the inner loops read lies in a cache: the depth into blocks, of which b is brought into the order in which it is
/// read, and c into tiles, which threads may share. No element of c depends on how it is cut, so that the bits depend neither on the number of threads
/// nor on the rows and columns beside it; only a row alone, and a column alone, are summed in another order.
struct Product {
    let rows: Int
    let columns: Int
    let depth: Int
    /// Whether a lies as (depth, rows).
    var isLeftTransposed = false
    /// Whether b lies as (columns, depth).
    var isRightTransposed = false

    /// What one pass of the inner loop runs over: so much of the rows of a that a tile of the kernels has stays in the first cache.
    private static let runDepth = 384
    /// Rows and columns of a tile, whole ones for all kernels; so much of a and b stays in the second cache.
    private static let tileRows = 192
    private static let tileColumns = 128
    /// Columns of b, and rows of a, that are brought into order at a time, and elements of both; no fewer than one run of these. Of a, so much is brought
    /// into order again for each block of columns, of b nothing.
    private static let blockWidth = 1024
    private static let blockHeight = 768
    private static let blockSize = 1 << 19

    private var work: Int { rows * columns * depth }
    /// A transpose whose rows are far apart is read from far too many pages. Rows that are whole pages of floats apart share a few places of the first
    /// cache, which has room for eight lines or twelve in each, while a tile reads twelve rows side by side.
    private var packsLeft: Bool { rows > 256 && columns >= 64 && (isLeftTransposed || depth % 1024 == 0) }

    private var blockColumns: Int { part(of: columns, most: Product.blockWidth, wholes: Product.tileColumns) }
    private var blockRows: Int { packsLeft ? part(of: rows, most: Product.blockHeight, wholes: Product.tileRows) : rows }
    private var blockDepth: Int {
        guard depth > Product.runDepth else { return depth }
        let runs = Product.blockSize / Product.runDepth / max(blockColumns + (packsLeft ? blockRows : 0), 1)
        return min(depth, max(runs, 1) * Product.runDepth)
    }

    /// Parts of about equal size, and no larger than `most`, which is a multiple of `wholes` as they are.
    private func part(of count: Int, most: Int, wholes: Int) -> Int {
        let parts = max((count + most - 1) / most, 1)
        return min(padded((count + parts - 1) / parts, to: wholes), count)
    }

    /// Scratch elements that the product needs.
    func panelCount<Scalar: EngineScalar>(_: Scalar.Type) -> Int {
        let kernels = Scalar.kernels
        return blockDepth * (padded(blockColumns, to: kernels.tileColumns) + (packsLeft ? padded(blockRows, to: kernels.tileRows) : 0))
    }

    /// `f` is the identity unless an activation is given; with `accumulates` the product is added to `c` (and has neither bias nor f).
    func callAsFunction<Scalar: EngineScalar>(
        _ a: UnsafePointer<Scalar>, _ b: UnsafePointer<Scalar>, bias: UnsafePointer<Scalar>? = nil, activation: Activation = .identity,
        accumulates: Bool = false, into c: UnsafeMutablePointer<Scalar>, panels: UnsafeMutablePointer<Scalar>
    ) {
        assert(!accumulates || bias == nil && activation == .identity)
        guard rows > 0 else { return }
        let kernels = Scalar.kernels
        if rows == 1, isRightTransposed {
            // The weights are read once as they lie, which to bring them into order would take longer than.
            kernels.multiply(b, rowStride: depth, vector: a, start: accumulates ? UnsafePointer(c) : bias, startStride: 1, activation: activation, into: c,
                             rows: columns, depth: depth)
        } else if columns == 1, !isLeftTransposed {
            kernels.multiply(a, rowStride: depth, vector: b, start: accumulates ? UnsafePointer(c) : bias, startStride: accumulates ? 1 : 0,
                             activation: activation, into: c, rows: rows, depth: depth)
        } else {
            forEachPart(of: columns, blockColumns) { columns in
                forEachPart(of: depth, blockDepth) { steps in
                    forEachPart(of: rows, blockRows) { rows in
                        multiply(Block(rows: rows, columns: columns, steps: steps), a, b, bias, activation, accumulates, c, panels)
                    }
                }
            }
            return
        }
        if !activation.isFused { kernels.activate(activation, c, into: c, count: rows * columns) }
    }

    /// Also of nothing there is one part.
    private func forEachPart(of count: Int, _ size: Int, _ body: (Range<Int>) -> Void) {
        var first = 0
        repeat {
            let last = min(first + size, count)
            body(first..<last)
            first = last
        } while first < count
    }

    private struct Block {
        let rows: Range<Int>
        let columns: Range<Int>
        let steps: Range<Int>
    }

    /// Adds the terms of some steps of the depth to some elements of c.
    private func multiply<Scalar: EngineScalar>(
        _ block: Block, _ a: UnsafePointer<Scalar>, _ b: UnsafePointer<Scalar>, _ bias: UnsafePointer<Scalar>?, _ activation: Activation,
        _ accumulates: Bool, _ c: UnsafeMutablePointer<Scalar>, _ panels: UnsafeMutablePointer<Scalar>
    ) {
        let kernels = Scalar.kernels
        let right = Packing(columns: block.columns, width: kernels.tileColumns, steps: block.steps, stride: isRightTransposed ? 1 : columns,
                            elementStride: isRightTransposed ? depth : 1)
        // Rows that lie as rows stay so, each beside the next: panels of one.
        let left = Packing(columns: block.rows, width: isLeftTransposed ? kernels.tileRows : 1, steps: block.steps, stride: isLeftTransposed ? rows : 1,
                           elementStride: isLeftTransposed ? 1 : depth)
        let leftPanels = panels + right.size
        // A matrix as wide as a panel is one. Rows after the first find b in order.
        let isPanel = columns == kernels.tileColumns && !isRightTransposed
        let rightParts = isPanel || block.rows.lowerBound > 0 ? 0 : right.parts, leftParts = packsLeft ? left.parts : 0
        Threads.run(chunks: rightParts + leftParts, work: work) { part in
            if part < rightParts { right.pack(b, part, into: panels) } else { left.pack(a, part - rightParts, into: leftPanels) }
        }

        // A thread that begins with its own share of the tiles finds the columns of b that it packed, in its own cache.
        let tilesDown = max((block.rows.count + Product.tileRows - 1) / Product.tileRows, 1)
        let height = padded((block.rows.count + tilesDown - 1) / tilesDown, to: kernels.tileRows)
        let tilesAcross = (block.columns.count + Product.tileColumns - 1) / Product.tileColumns, width = Product.tileColumns
        let stride = columns
        Threads.run(chunks: tilesDown * tilesAcross, work: work) { tile in
            let down = tile % tilesDown * height, across = tile / tilesDown * width
            let row = block.rows.lowerBound + down, column = block.columns.lowerBound + across
            let height = min(height, block.rows.count - down), width = min(width, block.columns.count - across)
            let out = c + row * stride + column
            right.forEachRun { run in
                let isFirst = run.lowerBound == 0, isLast = run.upperBound == depth
                let x: UnsafePointer<Scalar>, rowStride: Int, stepStride: Int
                if packsLeft {
                    x = UnsafePointer(leftPanels + left.place(of: run, down))
                    (rowStride, stepStride) = isLeftTransposed ? (1, left.width) : (run.count, 1)
                } else {
                    x = a + row * left.elementStride + run.lowerBound * left.stride
                    (rowStride, stepStride) = (left.elementStride, left.stride)
                }
                kernels.multiply(x, rowStride: rowStride, stepStride: stepStride, tileStride: kernels.tileRows * (packsLeft ? run.count : rowStride),
                                 panels: isPanel ? b + run.lowerBound * stride : UnsafePointer(panels + right.place(of: run, across)),
                                 bias: isFirst ? bias.map { $0 + column } : nil, activation: isLast ? activation : .identity,
                                 accumulate: accumulates || !isFirst, into: out, stride: stride, rows: height, columns: width, depth: run.count)
            }
            if block.steps.upperBound == depth, !activation.isFused {
                for i in 0..<height { kernels.activate(activation, out + i * stride, into: out + i * stride, count: width) }
            }
        }
    }

    /// A block of an operand in the order in which it is read: for each run of the depth, panels of a number of columns (or rows) each.
    private struct Packing {
        /// The columns, and how many there are in a panel.
        let columns: Range<Int>
        let width: Int
        let steps: Range<Int>
        /// From one step of the depth to the next, and from one column to the next, in the operand.
        let stride: Int
        let elementStride: Int

        private var paddedCount: Int { padded(columns.count, to: width) }
        var size: Int { paddedCount * steps.count }

        func forEachRun(_ body: (Range<Int>) -> Void) {
            var first = steps.lowerBound
            repeat {
                let last = min(first + Product.runDepth, steps.upperBound)
                body(first..<last)
                first = last
            } while first < steps.upperBound
        }

        /// Where the panel of a column begins, counted from the first.
        func place(of run: Range<Int>, _ column: Int) -> Int { (run.lowerBound - steps.lowerBound) * paddedCount + column * run.count }

        /// Chunks in which it may be packed: whole panels of about a tile's columns.
        private var partWidth: Int { max(Product.tileColumns / width, 1) * width }
        var parts: Int { (columns.count + partWidth - 1) / partWidth }

        func pack<Scalar: EngineScalar>(_ operand: UnsafePointer<Scalar>, _ part: Int, into panels: UnsafeMutablePointer<Scalar>) {
            let first = part * partWidth, count = min(partWidth, columns.count - first), source = operand + (columns.lowerBound + first) * elementStride
            forEachRun { run in
                let source = source + run.lowerBound * stride, panels = panels + place(of: run, first)
                if width == 1 {
                    for column in 0..<count { (panels + column * run.count).update(from: source + column * elementStride, count: run.count) }
                } else {
                    Scalar.kernels.pack(source, depth: run.count, columns: count, rowStride: stride, columnStride: elementStride, width: width, into: panels)
                }
            }
        }
    }
}

/// `count`, or as many more as make whole widths.
private func padded(_ count: Int, to width: Int) -> Int { (count + width - 1) / width * width }

extension Activation {
    /// Whether the product applies it itself, which takes no time.
    var isFused: Bool { self == .identity || self == .relu || self == .leakyRelu }
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
    /// x Wᵀ
    func forwardProduct(_ rows: Int) -> Product { Product(rows: rows, columns: outputs, depth: inputs, isRightTransposed: true) }
    /// g W
    func inputGradientProduct(_ rows: Int) -> Product { Product(rows: rows, columns: inputs, depth: outputs) }
    /// gᵀ x
    func weightGradientProduct(_ rows: Int) -> Product { Product(rows: outputs, columns: inputs, depth: rows, isLeftTransposed: true) }
}
