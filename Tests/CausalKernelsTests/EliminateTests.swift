import CausalKernelInterface
import Testing

@Suite struct EliminateTests {
    @Test(arguments: [16, 48], [0, 1, 5]) func oneStepOfCholesky(_ count: Int, _ steps: Int) {
        everyKernelSet { eliminate($0, count, steps) }
    }

    private func eliminate<K: KernelSet>(_: K.Type, _ count: Int, _ steps: Int) {
        var random = SplitMix(state: 21)
        let row: [K.Scalar] = random.numbers(count), basis: [K.Scalar] = random.numbers(count * steps), weights: [K.Scalar] = random.numbers(max(steps, 1))
        let variances: [K.Scalar] = random.numbers(count), covariances: [K.Scalar] = random.numbers(count)
        var next = row, left = variances, shared = covariances
        next = guarded(next) { next in
            left = guarded(left) { left in
                shared = guarded(shared) { shared in
                    K.eliminate(row, basis: basis, stride: count, coefficients: weights, steps: steps, scale: 0.5, target: 0.25, into: next,
                                variances: left, covariances: shared, count: count)
                }
            }
        }
        for j in 0..<count {
            let z = 0.5 * (Double(row[j]) - (0..<steps).reduce(0) { $0 + Double(weights[$1]) * Double(basis[$1 * count + j]) })
            expectClose(next[j], z, ulps: 16)
            expectClose(left[j], Double(variances[j]) - z * z, ulps: 32)
            expectClose(shared[j], Double(covariances[j]) - z * 0.25, ulps: 32)
        }
    }

    @Test(arguments: [16, 64], [0, 1, 3, 4, 9]) func products(_ rows: Int, _ columns: Int) {
        everyKernelSet { products($0, rows, columns) }
    }

    private func products<K: KernelSet>(_: K.Type, _ rows: Int, _ columns: Int) {
        var random = SplitMix(state: 22)
        let x: [K.Scalar] = random.numbers(rows), y: [K.Scalar] = random.numbers(max(rows * columns, 1))
        let sums = guarded([K.Scalar](repeating: 1, count: columns)) { K.products(x, y, stride: rows, rows: rows, columns: columns, addingTo: $0) }
        for k in 0..<columns {
            expectClose(sums[k], 1 + (0..<rows).reduce(0) { $0 + Double(x[$1]) * Double(y[k * rows + $1]) }, ulps: Double(8 * rows))
            // Alone it has the same bits.
            var alone: [K.Scalar] = [1]
            K.products(x, Array(y[k * rows..<(k + 1) * rows]), stride: rows, rows: rows, columns: 1, addingTo: &alone)
            #expect(alone[0] == sums[k])
        }
    }
}
