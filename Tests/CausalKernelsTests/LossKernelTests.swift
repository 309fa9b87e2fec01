import CausalKernelInterface
import Glibc
import Testing

@Suite struct LossKernelTests {
    @Test(arguments: [false, true], [false, true]) func errors(_ isWeighted: Bool, _ accumulates: Bool) {
        everyKernelSet { errors($0, isWeighted, accumulates) }
    }

    private func errors<K: KernelSet>(_: K.Type, _ isWeighted: Bool, _ accumulates: Bool) {
        var random = SplitMix(state: 9)
        for count in [0, 1, 5, 8, 21] {
            var p: [K.Scalar] = random.numbers(count), t: [K.Scalar] = random.numbers(count)
            let before: [K.Scalar] = random.numbers(count), scale = 0.3
            var weights = [K.Scalar](repeating: 1, count: count)
            if count > 1 { t[1] = p[1] }                                            // a kink of the absolute error
            if isWeighted { for i in 0..<count { weights[i] = K.Scalar(i % 3) } }
            for i in 0..<count where weights[i] == 0 { p[i] = .nan }                // not looked at
            func check(_ found: Double, _ gradient: [K.Scalar], _ loss: (Double) -> (Double, Double)) {
                var sum = 0.0
                for i in 0..<count {
                    let weight = Double(weights[i]), (value, slope) = weight == 0 ? (0, 0) : loss(Double(p[i] - t[i]))
                    sum += weight * value
                    expectClose(gradient[i], (accumulates ? Double(before[i]) : 0) + weight * slope * scale, ulps: 6)
                }
                #expect(abs(found - sum) <= 1e-13 * Double(count + 1))
            }
            var value = 0.0
            let w = isWeighted ? weights : nil
            let squared = guarded(before) { value = K.squaredError(p, t, weights: w, scale: scale, gradient: $0, accumulate: accumulates, count: count) }
            check(value, squared) { ($0 * $0, 2 * $0) }
            #expect(K.squaredError(p, t, weights: w, scale: scale, gradient: nil, accumulate: false, count: count) == value)
            let absolute = guarded(before) { value = K.absoluteError(p, t, weights: w, scale: scale, gradient: $0, accumulate: accumulates, count: count) }
            check(value, absolute) { (abs($0), $0 > 0 ? 1 : $0 < 0 ? -1 : 0) }
        }
    }

    @Test(arguments: [1.0, 30, 1000], [false, true]) func crossEntropy(_ size: Double, _ accumulates: Bool) {
        everyKernelSet { crossEntropy($0, size, accumulates) }
    }

    private func crossEntropy<K: KernelSet>(_: K.Type, _ size: Double, _ accumulates: Bool) {
        var random = SplitMix(state: 10)
        let (rows, columns, scale) = (6, 5, 0.7)
        let logits: [K.Scalar] = random.numbers(rows * columns, within: size), before: [K.Scalar] = random.numbers(rows * columns)
        let classes = (0..<rows).map { K.Scalar($0 % columns) }, weights = (0..<rows).map { K.Scalar($0 % 3) }
        var value = 0.0, expected = 0.0
        let gradient = guarded(before) {
            value = K.crossEntropy(logits: logits, classes: classes, weights: weights, scale: scale, gradient: $0, accumulate: accumulates,
                                   rows: rows, columns: columns)
        }
        for i in 0..<rows {
            let row = (0..<columns).map { Double(logits[i * columns + $0]) }, largest = row.max()!
            let total = row.reduce(0) { $0 + exp($1 - largest) }, weight = Double(weights[i])
            expected += weight * (log(total) + largest - row[i % columns])
            for j in 0..<columns {
                let slope = weight * scale * (exp(row[j] - largest) / total - (j == i % columns ? 1 : 0))
                expectClose(gradient[i * columns + j], (accumulates ? Double(before[i * columns + j]) : 0) + slope, ulps: 8)
            }
        }
        expectClose(K.Scalar(value), expected, ulps: 16)
    }

    /// As a host may leave behind that writes to the classes while they are in use.
    @Test func classesThatDoNotExistAreNotRead() {
        func check<K: KernelSet>(_: K.Type) {
            let logits: [K.Scalar] = [1, 2, 4]
            for index in [K.Scalar.nan, -1, 3, .infinity, 1e30] {
                let value = K.crossEntropy(logits: logits, classes: [index], weights: nil, scale: 1, gradient: nil, accumulate: false, rows: 1, columns: 3)
                #expect(value.isFinite)
            }
        }
        everyKernelSet { check($0) }
    }

    @Test func absoluteSum() {
        func check<K: KernelSet>(_: K.Type) {
            let x: [K.Scalar] = [1, -2, 0, -0.0, 0.5]
            let gradient = guarded([K.Scalar](repeating: 1, count: 5)) { #expect(K.absoluteSum(x, scale: 0.25, addingTo: $0, count: 5) == 3.5) }
            #expect(gradient == [1.25, 0.75, 1, 1, 1.25])
        }
        everyKernelSet { check($0) }
    }
}
