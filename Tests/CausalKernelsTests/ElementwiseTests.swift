import CausalKernelInterface
import Testing

@Suite struct ElementwiseTests {
    private static let counts = [0, 1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 63, 64, 65, 200]

    @Test func sumsAndScales() { everyKernelSet { sumsAndScales($0) } }

    private func sumsAndScales<K: KernelSet>(_: K.Type) {
        var random = SplitMix(state: 5)
        for count in ElementwiseTests.counts {
            let x: [K.Scalar] = random.numbers(count), y: [K.Scalar] = random.numbers(count)
            #expect(guarded(y) { K.add(x, to: $0, count: count) } == zip(x, y).map { $0 + $1 })
            #expect(guarded(x) { K.scale($0, by: 1.5, count: count) } == x.map { $0 * 1.5 })
            let squares = x.reduce(0.0) { $0 + Double($1) * Double($1) }
            #expect(abs(K.sumOfSquares(x, count: count) - squares) <= 1e-14 * Double(count + 1))
        }
    }

    @Test func rowsOfColumns() { everyKernelSet { rowsOfColumns($0) } }

    private func rowsOfColumns<K: KernelSet>(_: K.Type) {
        var random = SplitMix(state: 6)
        for (rows, columns) in [(0, 3), (1, 1), (5, 7), (4, 8), (9, 33)] {
            let x: [K.Scalar] = random.numbers(rows * columns), bias: [K.Scalar] = random.numbers(columns), sums: [K.Scalar] = random.numbers(columns)
            let biased = guarded([K.Scalar](repeating: .nan, count: x.count)) { K.addBias(bias, to: x, into: $0, rows: rows, columns: columns) }
            #expect(biased == x.indices.map { x[$0] + bias[$0 % columns] })
            for accumulate in [false, true] {
                let found = guarded(accumulate ? sums : [K.Scalar](repeating: .nan, count: columns)) {
                    K.columnSums(x, rows: rows, columns: columns, accumulate: accumulate, into: $0)
                }
                // In the order of the rows, to the bit.
                #expect(found == (0..<columns).map { j in (0..<rows).reduce(accumulate ? sums[j] : 0) { $0 + x[$1 * columns + j] } })
            }
        }
    }

    @Test func copiesColumns() { everyKernelSet { copiesColumns($0) } }

    private func copiesColumns<K: KernelSet>(_: K.Type) {
        var random = SplitMix(state: 7)
        let (rows, from, to) = (5, 11, 13)
        for (column, target, width) in [(0, 0, 11), (3, 2, 4), (10, 12, 1), (0, 0, 0)] {
            let x: [K.Scalar] = random.numbers(rows * from), y: [K.Scalar] = random.numbers(rows * to)
            for accumulate in [false, true] {
                let found = guarded(y) {
                    K.copyColumns(x, stride: from, column: column, to: $0, targetStride: to, targetColumn: target, rows: rows, width: width, accumulate: accumulate)
                }
                var expected = y
                for i in 0..<rows { for j in 0..<width { expected[i * to + target + j] = x[i * from + column + j] + (accumulate ? y[i * to + target + j] : 0) } }
                #expect(found == expected)
            }
        }
    }

    @Test func findsTheFirstThatIsNotFinite() { everyKernelSet { findsTheFirst($0) } }

    private func findsTheFirst<K: KernelSet>(_: K.Type) {
        var random = SplitMix(state: 8)
        for count in ElementwiseTests.counts {
            let finite: [K.Scalar] = random.numbers(count, within: 1e30)
            #expect(K.firstNonFinite(finite, count: count) == count)
            for place in 0..<count {
                var x = finite
                x[place] = [K.Scalar.nan, .infinity, -.infinity][place % 3]
                if place + 5 < count { x[place + 5] = .nan }
                #expect(K.firstNonFinite(x, count: count) == place)
            }
        }
        #expect(K.firstNonFinite([K.Scalar](repeating: .greatestFiniteMagnitude, count: 100), count: 100) == 100)
    }
}
