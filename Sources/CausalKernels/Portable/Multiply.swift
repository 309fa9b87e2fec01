public import CausalKernelInterface

// The product of two small matrices, register-blocked: six rows by two vectors of the result stay in twelve registers
// while the loop runs over the depth (Goto and van de Geijn 2008, "Anatomy of high-performance matrix multiplication",
// without the cache blocking that small matrices do not need).

extension VectorKernels {
    @inline(__always) public static var panelWidth: Int { 2 * Vector.scalarCount }

    public static func pack(_ b: UnsafePointer<Scalar>, depth: Int, columns: Int, rowStride: Int, columnStride: Int,
                            into panels: UnsafeMutablePointer<Scalar>) {
        let width = panelWidth
        var panel = panels
        var first = 0
        while first < columns {
            let used = min(width, columns - first)
            var source = b + first * columnStride
            for p in 0..<depth {
                let row = panel + p * width
                if columnStride == 1 {
                    row.update(from: source, count: used)
                } else {
                    var element = source
                    for j in 0..<used {
                        row[j] = element.pointee
                        element += columnStride
                    }
                }
                for j in used..<width { row[j] = 0 }
                source += rowStride
            }
            panel += depth * width
            first += width
        }
    }

    public static func multiply(_ a: UnsafePointer<Scalar>, rowStride: Int, stepStride: Int,
                                panels: UnsafePointer<Scalar>, bias: UnsafePointer<Scalar>?, activation: Activation,
                                accumulate: Bool, into c: UnsafeMutablePointer<Scalar>, rows: Int, columns: Int, depth: Int) {
        // One specialisation each, so that the choice is not made again for every tile.
        switch activation {
        case .relu: tiles(a, rowStride, stepStride, panels, bias, accumulate, c, rows, columns, depth) { $0.rectified() }
        case .leakyRelu: tiles(a, rowStride, stepStride, panels, bias, accumulate, c, rows, columns, depth) { $0.leaky(0.01) }
        default: tiles(a, rowStride, stepStride, panels, bias, accumulate, c, rows, columns, depth) { $0 }
        }
    }

    @inline(__always)
    private static func tiles(_ a: UnsafePointer<Scalar>, _ rowStride: Int, _ stepStride: Int,
                              _ panels: UnsafePointer<Scalar>, _ bias: UnsafePointer<Scalar>?, _ accumulate: Bool,
                              _ c: UnsafeMutablePointer<Scalar>, _ rows: Int, _ columns: Int, _ depth: Int,
                              _ f: (Vector) -> Vector) {
        let lanes = Vector.scalarCount, width = 2 * lanes
        withUnsafeTemporaryAllocation(of: Scalar.self, capacity: width) { spare in
            let edge = spare.baseAddress!
            var panel = panels
            var column = 0
            while column < columns {
                let used = min(width, columns - column)
                let low: Vector, high: Vector       // the bias, or 0
                if let bias, used == width {
                    low = .load(bias + column)
                    high = .load(bias + column + lanes)
                } else {
                    for j in 0..<width { edge[j] = j < used ? bias?[column + j] ?? 0 : 0 }
                    low = .load(edge)
                    high = .load(edge + lanes)
                }

                /// Up to six rows, or two, by both vectors of the panel, or the first.
                @inline(__always) func tile(_ row: Int, _ panel: UnsafePointer<Scalar>, _ column: Int, isTall: Bool, isWide: Bool) {
                    let count = min(isTall ? 6 : 2, rows - row)
                    let first = a + row * rowStride
                    // A tile that hangs over the last row reads that row again and does not store it.
                    let a1 = first + min(1, count - 1) * rowStride, a2 = first + min(2, count - 1) * rowStride
                    let a3 = first + min(3, count - 1) * rowStride, a4 = first + min(4, count - 1) * rowStride
                    let a5 = first + min(5, count - 1) * rowStride
                    var c00 = low, c01 = high, c10 = low, c11 = high, c20 = low, c21 = high
                    var c30 = low, c31 = high, c40 = low, c41 = high, c50 = low, c51 = high
                    var b = panel
                    var offset = 0
                    for _ in 0..<depth {
                        let b0 = Vector.load(b), b1 = isWide ? Vector.load(b + lanes) : high
                        let step = offset
                        @inline(__always) func add(_ a: UnsafePointer<Scalar>, _ left: inout Vector, _ right: inout Vector) {
                            let x = Vector(repeating: a[step])
                            left = left.adding(x, times: b0)
                            if isWide { right = right.adding(x, times: b1) }
                        }
                        add(first, &c00, &c01)
                        add(a1, &c10, &c11)
                        if isTall {
                            add(a2, &c20, &c21)
                            add(a3, &c30, &c31)
                            add(a4, &c40, &c41)
                            add(a5, &c50, &c51)
                        }
                        b += width
                        offset &+= stepStride
                    }
                    let target = c + row * columns + column
                    @inline(__always) func finish(_ i: Int, _ left: Vector, _ right: Vector) {
                        guard i < count else { return }
                        let out = target + i * columns
                        if isWide && used == width {
                            let l = accumulate ? .load(out) + left : left
                            let r = accumulate ? .load(out + lanes) + right : right
                            f(l).store(to: out)
                            f(r).store(to: out + lanes)
                        } else {
                            if accumulate {
                                for j in 0..<used { edge[j] = out[j] }
                                for j in used..<width { edge[j] = 0 }
                                f(.load(edge) + left).store(to: edge)
                                f(.load(edge + lanes) + right).store(to: edge + lanes)
                            } else {
                                f(left).store(to: edge)
                                f(right).store(to: edge + lanes)
                            }
                            for j in 0..<used { out[j] = edge[j] }
                        }
                    }
                    finish(0, c00, c01)
                    finish(1, c10, c11)
                    if isTall {
                        finish(2, c20, c21)
                        finish(3, c30, c31)
                        finish(4, c40, c41)
                        finish(5, c50, c51)
                    }
                }
                let isWide = used > lanes
                var row = 0
                while row < rows {
                    switch (rows - row > 2, isWide) {
                    case (true, true): tile(row, panel, column, isTall: true, isWide: true)
                    case (true, false): tile(row, panel, column, isTall: true, isWide: false)
                    case (false, true): tile(row, panel, column, isTall: false, isWide: true)
                    case (false, false): tile(row, panel, column, isTall: false, isWide: false)
                    }
                    row += 6
                }
                panel += depth * width
                column += width
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
