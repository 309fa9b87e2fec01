import CausalKernelInterface
import Testing

@Suite struct MultiplyTests {
    private static let shapes = [1, 2, 5, 6, 7, 12, 13].flatMap { rows in
        [1, 7, 8, 9, 15, 16, 17, 33].flatMap { columns in [0, 1, 3, 40].map { (rows, columns, $0) } }
    } + [(0, 5, 3), (3, 0, 3)]

    @Test func isTheProduct() {
        everyKernelSet { check($0, transposed: false) }
        everyKernelSet { check($0, transposed: true) }
    }

    private func check<K: KernelSet>(_: K.Type, transposed: Bool) {
        var random = SplitMix(state: 1)
        for (i, (rows, columns, depth)) in MultiplyTests.shapes.enumerated() {
            let a: [K.Scalar] = random.numbers(rows * depth), b: [K.Scalar] = random.numbers(depth * columns)
            let bias: [K.Scalar]? = i % 2 == 0 ? random.numbers(columns) : nil
            let before: [K.Scalar]? = i % 3 == 0 ? random.numbers(rows * columns) : nil
            let activation: Activation = [.identity, .relu, .leakyRelu, .tanh][i % 4]       // tanh is the caller's part
            let found = product(K.self, a, b, bias: bias, before: before, activation, rows, columns, depth, transposed: transposed)

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
        for (i, (rows, depth)) in [0, 1, 5].flatMap({ rows in [0, 1, 7, 8, 9, 16, 17, 31, 64].map { (rows, $0) } }).enumerated() {
            let stride = depth + i % 3
            let a: [K.Scalar] = random.numbers(rows * stride), b: [K.Scalar] = random.numbers(depth)
            let bias: [K.Scalar]? = i % 2 == 0 ? random.numbers(1) : nil
            let before: [K.Scalar] = random.numbers(rows)
            let activation: Activation = [.identity, .relu, .leakyRelu, .tanh][i % 4], accumulates = i % 5 == 0
            let found = guarded(before) { c in
                K.multiply(a, rowStride: stride, vector: b, bias: bias, activation: activation, accumulate: accumulates, into: c, rows: rows, depth: depth)
            }
            for r in 0..<rows {
                var sum = Double(bias?[0] ?? 0) + (accumulates ? Double(before[r]) : 0), size = abs(sum)
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
        let whole = product(K.self, a, b, bias: nil, before: nil, .identity, rows, columns, depth, transposed: false)
        for r in 0..<rows {
            let alone = product(K.self, Array(a[r * depth..<(r + 1) * depth]), b, bias: nil, before: nil, .identity, 1, columns, depth, transposed: false)
            #expect(alone == Array(whole[r * columns..<(r + 1) * columns]))
        }
    }

    private func product<K: KernelSet>(_: K.Type, _ a: [K.Scalar], _ b: [K.Scalar], bias: [K.Scalar]?, before: [K.Scalar]?, _ activation: Activation,
                                       _ rows: Int, _ columns: Int, _ depth: Int, transposed: Bool) -> [K.Scalar] {
        let width = K.panelWidth, packed = depth * ((columns + width - 1) / width * width)
        let panels = guarded([K.Scalar](repeating: .nan, count: packed)) {
            K.pack(b, depth: depth, columns: columns, rowStride: transposed ? 1 : columns, columnStride: transposed ? depth : 1, into: $0)
        }
        return guarded(before ?? [K.Scalar](repeating: .nan, count: rows * columns)) {
            K.multiply(a, rowStride: transposed ? 1 : depth, stepStride: transposed ? rows : 1, panels: panels, bias: bias,
                       activation: activation, accumulate: before != nil, into: $0, rows: rows, columns: columns, depth: depth)
        }
    }
}
