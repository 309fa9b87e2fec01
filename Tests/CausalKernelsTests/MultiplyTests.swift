import CausalKernelInterface
import Testing

@Suite struct MultiplyTests {
    private static let shapes = [1, 2, 5, 6, 7, 12, 13, 23, 25].flatMap { rows in
        [1, 7, 8, 9, 15, 16, 17, 32, 33].flatMap { columns in [0, 1, 3, 40].map { (rows, columns, $0) } }
    } + [(0, 5, 3), (3, 0, 3)]

    @Test func isTheProduct() {
        for layout in Layout.allCases { everyKernelSet { check($0, layout) } }
    }

    /// How the operands lie: as they are, as their transposes, or with the first in panels too.
    private enum Layout: CaseIterable { case plain, transposed, packed }

    private func check<K: KernelSet>(_: K.Type, _ layout: Layout) {
        let transposed = layout != .plain
        var random = SplitMix(state: 1)
        for (i, (rows, columns, depth)) in MultiplyTests.shapes.enumerated() {
            let a: [K.Scalar] = random.numbers(rows * depth), b: [K.Scalar] = random.numbers(depth * columns)
            let before: [K.Scalar]? = i % 3 == 0 ? random.numbers(rows * columns) : nil
            let bias: [K.Scalar]? = before == nil && i % 2 == 0 ? random.numbers(columns) : nil
            let activation: Activation = [.identity, .relu, .leakyRelu, .tanh][i % 4]       // tanh is the caller's part
            let found = product(K.self, a, b, bias: bias, before: before, activation, rows, columns, depth, layout)

            for r in 0..<rows {
                for c in 0..<columns {
                    var sum = Double(bias?[c] ?? 0) + Double(before?[r * columns + c] ?? 0), size = abs(sum)
                    for p in 0..<depth {
                        let term = Double(a[transposed ? p * rows + r : r * depth + p]) * Double(b[transposed ? c * depth + p : p * columns + c])
                        sum += term
                        size += abs(term)
                    }
                    let exact = activation == .relu ? max(sum, 0) : activation == .leakyRelu && sum < 0 ? 0.01 * sum : sum
                    expectClose(found[r * columns + c], exact, ulps: Double(depth + 3), scale: size, "\(K.self) (\(rows), \(columns), \(depth))")
                }
            }
        }
    }

    @Test func aVectorIsAMatrixOfOneColumn() { everyKernelSet { checkVector($0) } }

    private func checkVector<K: KernelSet>(_: K.Type) {
        var random = SplitMix(state: 3)
        for (i, (rows, depth)) in [0, 1, 5, 18].flatMap({ rows in [0, 1, 7, 8, 9, 16, 17, 31, 64].map { (rows, $0) } }).enumerated() {
            let stride = depth + i % 3
            let a: [K.Scalar] = random.numbers(rows * stride), b: [K.Scalar] = random.numbers(depth)
            let before: [K.Scalar] = random.numbers(rows), starts: [K.Scalar] = random.numbers(rows + 1)
            let activation: Activation = [.identity, .relu, .leakyRelu, .tanh][i % 4], startsFromItself = i % 5 == 0, hasStart = i % 3 > 0, startStride = i / 4 % 2
            let found = guarded(before) { c in
                starts.withUnsafeBufferPointer { starts in
                    let start = startsFromItself ? UnsafePointer(c) : hasStart ? starts.baseAddress : nil
                    K.multiply(a, rowStride: stride, vector: b, start: start, startStride: startsFromItself ? 1 : startStride, activation: activation, into: c,
                               rows: rows, depth: depth)
                }
            }
            for r in 0..<rows {
                var sum = Double(startsFromItself ? before[r] : hasStart ? starts[r * startStride] : 0), size = abs(sum)
                for p in 0..<depth {
                    let term = Double(a[r * stride + p]) * Double(b[p])
                    sum += term
                    size += abs(term)
                }
                let exact = activation == .relu ? max(sum, 0) : activation == .leakyRelu && sum < 0 ? 0.01 * sum : sum
                expectClose(found[r], exact, ulps: Double(depth + 3), scale: size, "\(K.self) (\(rows), \(depth))")
            }
        }
    }

    /// A row's numbers do not depend on the rows beside it: predictions in chunks equal predictions at once.
    @Test func rowsStandAlone() {
        everyKernelSet { rowsStandAlone($0) }
    }

    private func rowsStandAlone<K: KernelSet>(_: K.Type) {
        var random = SplitMix(state: 2)
        let (rows, columns, depth) = (13, 19, 37)
        let a: [K.Scalar] = random.numbers(rows * depth), b: [K.Scalar] = random.numbers(depth * columns)
        let whole = product(K.self, a, b, bias: nil, before: nil, .identity, rows, columns, depth, .plain)
        for r in 0..<rows {
            let alone = product(K.self, Array(a[r * depth..<(r + 1) * depth]), b, bias: nil, before: nil, .identity, 1, columns, depth, .plain)
            #expect(alone == Array(whole[r * columns..<(r + 1) * columns]))
        }
    }

    @Test func rowsTimesAVectorStandAlone() { everyKernelSet { rowsTimesAVectorStandAlone($0) } }

    private func rowsTimesAVectorStandAlone<K: KernelSet>(_: K.Type) {
        var random = SplitMix(state: 6)
        let rows = 11
        for depth in [3, 16, 37, 64] {
            let a: [K.Scalar] = random.numbers(rows * depth), b: [K.Scalar] = random.numbers(depth), starts: [K.Scalar] = random.numbers(rows)
            func product(_ first: Int, _ count: Int) -> [K.Scalar] {
                guarded([K.Scalar](repeating: 0, count: count)) { c in
                    K.multiply(Array(a[(first * depth)...]), rowStride: depth, vector: b, start: Array(starts[first...]), startStride: 1,
                               activation: .identity, into: c, rows: count, depth: depth)
                }
            }
            #expect(product(0, rows) == (0..<rows).flatMap { product($0, 1) }, "\(K.self) \(depth)")
        }
    }

    /// A sum goes on from what is there, to the bit: the depth may be cut into runs.
    @Test func depthMayBeCut() { everyKernelSet { depthMayBeCut($0) } }

    private func depthMayBeCut<K: KernelSet>(_: K.Type) {
        var random = SplitMix(state: 4)
        let (rows, columns, depth, cut) = (29, 37, 41, 17)
        let a: [K.Scalar] = random.numbers(depth * rows), b: [K.Scalar] = random.numbers(columns * depth), bias: [K.Scalar] = random.numbers(columns)
        let whole = product(K.self, a, b, bias: bias, before: nil, .relu, rows, columns, depth, .transposed)
        func part(_ steps: Range<Int>) -> [K.Scalar] { (0..<columns).flatMap { c in steps.map { b[c * depth + $0] } } }
        let first = product(K.self, Array(a[..<(cut * rows)]), part(0..<cut), bias: bias, before: nil, .identity, rows, columns, cut, .transposed)
        let both = product(K.self, Array(a[(cut * rows)...]), part(cut..<depth), bias: nil, before: first, .relu, rows, columns, depth - cut, .transposed)
        #expect(both == whole)
    }

    /// Panels hold what they should wherever the numbers lie in the operand.
    @Test func panels() { everyKernelSet { panels($0) } }

    private func panels<K: KernelSet>(_: K.Type) {
        var random = SplitMix(state: 5)
        for width in [K.tileColumns, K.tileRows] {
            for (depth, columns) in [(1, 1), (16, 32), (37, 3), (41, 71), (33, 64), (0, 5)] {
                let b: [K.Scalar] = random.numbers(2 * depth * columns + 2)
                for (rowStride, columnStride) in [(columns, 1), (columns + 2, 1), (1, depth), (1, depth + 2), (2, 2 * depth)] {
                    let count = (columns + width - 1) / width * width
                    let found = guarded([K.Scalar](repeating: .nan, count: depth * count)) {
                        K.pack(b, depth: depth, columns: columns, rowStride: rowStride, columnStride: columnStride, width: width, into: $0)
                    }
                    for p in 0..<depth {
                        let lanes = K.tileColumns / 2, used = columns % width, filled = columns + (used + lanes - 1) / lanes * lanes - used
                        for j in 0..<min(filled, count) {
                            let expected = j < columns ? b[p * rowStride + j * columnStride] : 0
                            #expect(found[j / width * width * depth + p * width + j % width] == expected, "\(K.self) (\(depth), \(columns))")
                        }
                    }
                }
            }
        }
    }

    /// The result lies between numbers that must stay as they are.
    private func product<K: KernelSet>(_: K.Type, _ a: [K.Scalar], _ b: [K.Scalar], bias: [K.Scalar]?, before: [K.Scalar]?, _ activation: Activation,
                                       _ rows: Int, _ columns: Int, _ depth: Int, _ layout: Layout) -> [K.Scalar] {
        let transposed = layout != .plain
        func packed(_ matrix: [K.Scalar], _ count: Int, _ width: Int, _ rowStride: Int, _ columnStride: Int) -> [K.Scalar] {
            guarded([K.Scalar](repeating: .nan, count: depth * ((count + width - 1) / width * width))) {
                K.pack(matrix, depth: depth, columns: count, rowStride: rowStride, columnStride: columnStride, width: width, into: $0)
            }
        }
        let panels = packed(b, columns, K.tileColumns, transposed ? 1 : columns, transposed ? depth : 1)
        let left = layout == .packed ? packed(a, rows, K.tileRows, rows, 1) : a
        let rowStride = transposed ? 1 : depth, stride = columns + 3
        let room = (0..<rows * stride).map { $0 % stride < columns ? before?[$0 / stride * columns + $0 % stride] ?? .nan : 7 }
        let found = guarded(room) {
            K.multiply(left, rowStride: rowStride, stepStride: layout == .packed ? K.tileRows : transposed ? rows : 1,
                       tileStride: layout == .packed ? K.tileRows * depth : K.tileRows * rowStride, panels: panels, bias: bias, activation: activation,
                       accumulate: before != nil, into: $0, stride: stride, rows: rows, columns: columns, depth: depth)
        }
        for i in found.indices where i % stride >= columns { #expect(found[i] == 7) }
        return found.indices.filter { $0 % stride < columns }.map { found[$0] }
    }
}
