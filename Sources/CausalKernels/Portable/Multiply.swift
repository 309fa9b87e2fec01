public import CausalKernelInterface

// The product of two matrices in tiles: up to twelve rows by two vectors of the result stay in registers while the loop runs over the depth
// (Goto and van de Geijn 2008, "Anatomy of high-performance matrix multiplication"). Callers see to it that what it reads is in a cache.

extension VectorKernels {
    @inline(__always) public static var tileRows: Int { Vector.registers >= 32 ? 12 : 6 }
    @inline(__always) public static var tileColumns: Int { 2 * Vector.scalarCount }

    public static func pack(_ b: UnsafePointer<Scalar>, depth: Int, columns: Int, rowStride: Int, columnStride: Int, width: Int,
                            into panels: UnsafeMutablePointer<Scalar>) {
        let whole = columns / width * width
        // The compiler copies a constant number of elements in registers.
        switch (columnStride, rowStride, width) {
        case (1, _, tileColumns): copy(b, depth, columns: whole, rowStride, width: tileColumns, into: panels)
        case (1, _, _): copy(b, depth, columns: whole, rowStride, width: tileRows, into: panels)
        case (_, 1, tileColumns): transpose(b, depth, columns: whole, columnStride, into: panels)
        default: copy(b, depth, columns: whole, rowStride, columnStride, width, into: panels)
        }
        copy(b + whole * columnStride, depth, columns: columns - whole, rowStride, columnStride, width, into: panels + whole * depth)
    }

    /// Number by number, and zeros that fill the last panel up.
    private static func copy(_ b: UnsafePointer<Scalar>, _ depth: Int, columns: Int, _ rowStride: Int, _ columnStride: Int, _ width: Int,
                             into panels: UnsafeMutablePointer<Scalar>) {
        for first in stride(from: 0, to: columns, by: width) {
            let used = min(width, columns - first)
            var source = b + first * columnStride, row = panels + first * depth
            for _ in 0..<depth {
                var element = source
                for j in 0..<used {
                    row[j] = element.pointee
                    element += columnStride
                }
                for j in used..<width { row[j] = 0 }
                source += rowStride
                row += width
            }
        }
    }

    /// Whole panels of columns that lie as rows, square by square.
    private static func transpose(_ b: UnsafePointer<Scalar>, _ depth: Int, columns: Int, _ columnStride: Int, into panels: UnsafeMutablePointer<Scalar>) {
        let lanes = Vector.scalarCount, width = tileColumns, squares = depth / lanes * lanes
        for first in stride(from: 0, to: columns, by: width) {
            let source = b + first * columnStride, panel = panels + first * depth
            for step in stride(from: 0, to: squares, by: lanes) {
                for half in stride(from: 0, to: width, by: lanes) {
                    Vector.transpose(source + half * columnStride + step, columnStride, into: panel + step * width + half, width)
                }
            }
            copy(source + squares, depth - squares, columns: width, 1, columnStride, width, into: panel + squares * width)
        }
    }

    /// Whole panels of columns that lie beside each other, row by row: a panel at a time would read from a page of memory for each of its rows.
    @inline(__always)
    private static func copy(_ b: UnsafePointer<Scalar>, _ depth: Int, columns: Int, _ rowStride: Int, width: Int,
                             into panels: UnsafeMutablePointer<Scalar>) {
        for step in 0..<depth {
            var source = b + step * rowStride, row = panels + step * width
            for _ in 0..<columns / width {
                UnsafeMutableRawPointer(row).copyMemory(from: source, byteCount: width * MemoryLayout<Scalar>.size)
                source += width
                row += depth * width
            }
        }
    }

    public static func multiply(_ a: UnsafePointer<Scalar>, rowStride: Int, stepStride: Int, tileStride: Int,
                                panels: UnsafePointer<Scalar>, bias: UnsafePointer<Scalar>?, activation: Activation, accumulate: Bool,
                                into c: UnsafeMutablePointer<Scalar>, stride: Int, rows: Int, columns: Int, depth: Int) {
        switch activation {
        case .relu: multiply(a, rowStride, stepStride, tileStride, panels, bias, accumulate, c, stride, rows, columns, depth, Relu.self)
        case .leakyRelu: multiply(a, rowStride, stepStride, tileStride, panels, bias, accumulate, c, stride, rows, columns, depth, LeakyRelu.self)
        default: multiply(a, rowStride, stepStride, tileStride, panels, bias, accumulate, c, stride, rows, columns, depth, Identity.self)
        }
    }

    private static func multiply<Rule: ActivationRule>(
        _ a: UnsafePointer<Scalar>, _ rowStride: Int, _ stepStride: Int, _ tileStride: Int, _ panels: UnsafePointer<Scalar>, _ bias: UnsafePointer<Scalar>?,
        _ accumulate: Bool, _ c: UnsafeMutablePointer<Scalar>, _ stride: Int, _ rows: Int, _ columns: Int, _ depth: Int, _: Rule.Type
    ) {
        let lanes = Vector.scalarCount, width = tileColumns, height = tileRows
        withUnsafeTemporaryAllocation(of: Scalar.self, capacity: (height + 1) * width) { memory in
            // Where a tile hangs over the last column it is computed here, and so are its biases.
            let edge = memory.baseAddress!, edgeBias = edge + height * width
            var panel = panels
            for column in Swift.stride(from: 0, to: columns, by: width) {
                let used = min(width, columns - column), isWide = used > lanes, isWhole = used == (isWide ? width : lanes)
                var first = Tile<Vector>.Row(left: Vector(repeating: 0), right: Vector(repeating: 0))
                if let bias {
                    for j in 0..<width { edgeBias[j] = j < used ? bias[column + j] : 0 }
                    first = Tile.Row(left: .load(edgeBias), right: .load(edgeBias + lanes))
                }
                var row = 0
                while row < rows {
                    let isTall = height == 12 && row + height <= rows, count = isTall ? height : min(6, rows - row)
                    let own = c + row * stride + column
                    if !isWhole, accumulate {
                        for i in 0..<count { (edge + i * width).update(from: own + i * stride, count: used) }
                    }
                    let tile = Tile<Vector>(a: a + row / height * tileStride + row % height * rowStride, rowStride: rowStride, stepStride: stepStride,
                                            panel: panel, depth: depth, first: first, accumulate: accumulate,
                                            target: isWhole ? own : edge, stride: isWhole ? stride : width)
                    if isTall { tile.multiplyTwelve(rows - row, isWide: isWide, Rule.self) } else { tile.multiplySix(count, isWide: isWide, Rule.self) }
                    if !isWhole {
                        for i in 0..<count { (own + i * stride).update(from: edge + i * width, count: used) }
                    }
                    row += count
                }
                panel += depth * width
            }
        }
    }

    public static func multiply(_ a: UnsafePointer<Scalar>, rowStride: Int, vector b: UnsafePointer<Scalar>, bias: UnsafePointer<Scalar>?,
                                activation: Activation, accumulate: Bool, into c: UnsafeMutablePointer<Scalar>, rows: Int, depth: Int) {
        let lanes = Vector.scalarCount, start = bias?.pointee ?? 0
        var row = a
        for i in 0..<rows {
            var sum = Vector(repeating: 0), other = Vector(repeating: 0)
            var p = 0
            while p + 2 * lanes <= depth {
                sum = sum.adding(.load(row + p), times: .load(b + p))
                other = other.adding(.load(row + p + lanes), times: .load(b + p + lanes))
                p += 2 * lanes
            }
            if p + lanes <= depth {
                sum = sum.adding(.load(row + p), times: .load(b + p))
                p += lanes
            }
            var total = start + (sum + other).total()
            while p < depth {
                total += row[p] * b[p]
                p += 1
            }
            c[i] = accumulate ? c[i] + total : total
            row += rowStride
        }
        if activation == .relu || activation == .leakyRelu { activate(activation, c, into: c, count: rows) }
    }
}
