public import CausalKernelInterface

// The product of two matrices in tiles: up to twelve rows by two vectors of the result stay in registers while the loop runs over the depth
// (Goto and van de Geijn 2008, "Anatomy of high-performance matrix multiplication"). Callers see to it that what it reads is in a cache.

extension VectorKernels {
    @inline(__always) public static var tileRows: Int { Vector.registers >= 32 ? 12 : 6 }
    @inline(__always) public static var tileColumns: Int { 2 * Vector.scalarCount }

    public static func pack(_ b: UnsafePointer<Scalar>, depth: Int, columns: Int, rowStride: Int, columnStride: Int, width: Int,
                            into panels: UnsafeMutablePointer<Scalar>) {
        let whole = columnStride == 1 ? columns / width * width : 0
        assert(width == tileColumns || width == tileRows)
        // The compiler copies a constant number of elements in registers.
        if width == tileColumns {
            copyPanels(b, depth, columns: whole, rowStride, width: tileColumns, into: panels)
        } else {
            copyPanels(b, depth, columns: whole, rowStride, width: tileRows, into: panels)
        }
        let lanes = Vector.scalarCount, isTransposed = rowStride == 1 && width == tileColumns, steps = isTransposed ? depth / lanes * lanes : 0
        for first in stride(from: whole, to: columns, by: width) {
            let used = min(width, columns - first), source = b + first * columnStride, panel = panels + first * depth
            let turned = isTransposed ? used / lanes * lanes : 0
            for step in stride(from: 0, to: steps, by: lanes) {
                for column in stride(from: 0, to: turned, by: lanes) {
                    Vector.transpose(source + column * columnStride + step, columnStride, into: panel + step * width + column, width)
                }
            }
            let filled = min((used + lanes - 1) / lanes * lanes, width)
            guard turned < used || steps < depth else { continue }
            for step in 0..<depth {
                let row = panel + step * width
                for j in (step < steps ? turned : 0)..<used { row[j] = source[step * rowStride + j * columnStride] }
                for j in used..<filled { row[j] = 0 }
            }
        }
    }

    /// Whole panels of columns that lie beside each other, row by row: a panel at a time would read from a page of memory for each of its rows.
    @inline(__always)
    private static func copyPanels(_ b: UnsafePointer<Scalar>, _ depth: Int, columns: Int, _ rowStride: Int, width: Int,
                                   into panels: UnsafeMutablePointer<Scalar>) {
        guard columns > 0 else { return }
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
        withUnsafeTemporaryAllocation(of: Scalar.self, capacity: 7 * width) { memory in
            // Where a tile hangs over the last column it is computed here, and so are its biases. (Six rows of it: more would not be on the stack.)
            let edgeBias = memory.baseAddress!, edge = edgeBias + width
            // A tile's rows are read again for each panel, and stay in the first cache meanwhile, where a panel would not have room.
            for top in Swift.stride(from: 0, to: rows, by: height) {
                let x = a + top / height * tileStride, below = min(height, rows - top)
                var panel = panels
                for column in Swift.stride(from: 0, to: columns, by: width) {
                    let used = min(width, columns - column), isWide = used > lanes, isWhole = used == (isWide ? width : lanes)
                    let first = start(bias.map { $0 + column }, used, edgeBias)
                    let isTall = isWhole && below == 12
                    for row in Swift.stride(from: 0, to: below, by: isTall ? 12 : 6) {
                        let count = min(isTall ? 12 : 6, below - row), own = c + (top + row) * stride + column
                        if !isWhole, accumulate {
                            for i in 0..<count { (edge + i * width).update(from: own + i * stride, count: used) }
                        }
                        let tile = Tile<Vector>(a: x + row * rowStride, rowStride: rowStride, stepStride: stepStride, panel: panel, depth: depth, first: first,
                                                accumulate: accumulate, target: isWhole ? own : edge, stride: isWhole ? stride : width)
                        if isTall { tile.multiplyTwelve(rows - top, isWide: isWide, Rule.self) } else { tile.multiplySix(count, isWide: isWide, Rule.self) }
                        if !isWhole {
                            for i in 0..<count { (own + i * stride).update(from: edge + i * width, count: used) }
                        }
                    }
                    panel += depth * width
                }
            }
        }
    }

    /// What a tile's rows start from in the `used` columns that it has: their biases, or 0. Where columns are missing the biases go by way of `scratch`.
    @inline(__always)
    private static func start(_ bias: UnsafePointer<Scalar>?, _ used: Int, _ scratch: UnsafeMutablePointer<Scalar>) -> Tile<Vector>.Row {
        let lanes = Vector.scalarCount, zero = Vector(repeating: 0)
        guard let bias else { return Tile.Row(left: zero, right: zero) }
        if used == 2 * lanes { return Tile.Row(left: .load(bias), right: .load(bias + lanes)) }
        scratch.update(from: bias, count: used)
        (scratch + used).update(repeating: 0, count: 2 * lanes - used)
        return Tile.Row(left: .load(scratch), right: .load(scratch + lanes))
    }

    public static func multiply(_ a: UnsafePointer<Scalar>, rowStride: Int, vector b: UnsafePointer<Scalar>, start: UnsafePointer<Scalar>?, startStride: Int,
                                activation: Activation, into c: UnsafeMutablePointer<Scalar>, rows: Int, depth: Int) {
        let whole = depth / Vector.scalarCount * Vector.scalarCount
        withUnsafePointer(to: 0 as Scalar) { zero in
            var row = a, start = start ?? zero
            let startStride = start == zero ? 0 : startStride
            for i in 0..<rows {
                var sum = whole > 0 ? start.pointee + product(row, b, whole) : start.pointee
                for p in whole..<depth { sum += row[p] * b[p] }
                c[i] = sum
                row += rowStride
                start += startStride
            }
        }
        if activation == .relu || activation == .leakyRelu { activate(activation, c, into: c, count: rows) }
    }

    /// The scalar product of whole vectors.
    @inline(__always)
    private static func product(_ a: UnsafePointer<Scalar>, _ b: UnsafePointer<Scalar>, _ count: Int) -> Scalar {
        let lanes = Vector.scalarCount
        var sum = Vector(repeating: 0), other = Vector(repeating: 0)
        var p = 0
        while p + 2 * lanes <= count {
            sum = sum.adding(.load(a + p), times: .load(b + p))
            other = other.adding(.load(a + p + lanes), times: .load(b + p + lanes))
            p += 2 * lanes
        }
        if p < count { sum = sum.adding(.load(a + p), times: .load(b + p)) }
        return (sum + other).total()
    }
}
