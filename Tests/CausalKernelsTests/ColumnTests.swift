import CausalKernelInterface
import Testing

@Suite struct ColumnTests {
    @Test(arguments: [1, 2, 5], [1, 2, 3, 7]) func layerOnColumns(_ inputs: Int, _ outputs: Int) {
        everyKernelSet { kernels in
            for activation in Activation.allCases { combine(kernels, inputs, outputs, activation) }
        }
    }

    private func combine<K: KernelSet>(_: K.Type, _ inputs: Int, _ outputs: Int, _ activation: Activation) {
        var random = SplitMix(state: 31)
        let rows = 2 * K.columnBlock, stride = rows + 3
        let x: [K.Scalar] = random.numbers(inputs * stride), weights: [K.Scalar] = random.numbers(inputs * outputs), bias: [K.Scalar] = random.numbers(outputs)
        let untouched: K.Scalar = 9
        var y = guarded([K.Scalar](repeating: untouched, count: outputs * stride)) {
            K.combine(x, inputs: inputs, weights: weights, bias: bias, activation: activation, into: $0, outputs: outputs, stride: stride, rows: rows)
        }
        for output in 0..<outputs { for gap in rows..<stride { #expect(y[output * stride + gap] == untouched) } }
        if activation.needsInputForGradient { y.withUnsafeMutableBufferPointer { K.activate(activation, $0.baseAddress!, into: $0.baseAddress!, count: $0.count) } }
        for output in 0..<outputs {
            for row in 0..<rows {
                let sum = (0..<inputs).reduce(Double(bias[output])) { $0 + Double(weights[output * inputs + $1]) * Double(x[$1 * stride + row]) }
                expectClose(y[output * stride + row], exact(activation, sum).value, ulps: 32)
            }
        }
    }

    /// As the two steps that it is made of, elsewhere and in place.
    @Test(arguments: Activation.allCases) func wayBackThroughALayer(_ activation: Activation) {
        everyKernelSet { kernels in
            for (inputs, outputs) in [(1, 1), (2, 1), (7, 1), (3, 5)] { passBack(kernels, inputs, outputs, activation) }
        }
    }

    private func passBack<K: KernelSet>(_: K.Type, _ inputs: Int, _ outputs: Int, _ activation: Activation) {
        var random = SplitMix(state: 34)
        let rows = 2 * K.columnBlock, stride = rows + 3
        let weights: [K.Scalar] = random.numbers(inputs * outputs), x: [K.Scalar] = random.numbers(inputs * stride)
        var g: [K.Scalar] = random.numbers(outputs * stride), y = x
        K.activate(activation, x, into: &y, count: x.count)
        // What has no gradient gets none, whatever is there.
        y[1] = .nan
        for output in 0..<outputs { g[output * stride + 1] = 0 }
        var sums = [K.Scalar](repeating: 0, count: inputs * stride)
        for input in 0..<inputs {
            for row in 0..<rows {
                for output in 0..<outputs {
                    let weight = weights[output * inputs + input], slope = g[output * stride + row]
                    sums[input * stride + row] += weight * slope
                }
            }
        }
        let expected = guarded(sums) { K.activationGradient(activation, output: y, input: x, gradient: sums, into: $0, count: sums.count) }
        let input = activation.needsInputForGradient ? x : nil
        func passBack(_ y: UnsafePointer<K.Scalar>, _ target: UnsafeMutablePointer<K.Scalar>) {
            K.passBack(g, outputs: outputs, weights: weights, activation: activation, output: y, input: input, into: target, inputs: inputs, stride: stride,
                       rows: rows)
        }
        let elsewhere = guarded(sums) { passBack(y, $0) }, inPlace = guarded(y) { passBack($0, $0) }
        for input in 0..<inputs {
            for row in 0..<rows {
                let place = input * stride + row
                expectClose(elsewhere[place], Double(expected[place]), ulps: 32)
                #expect(inPlace[place] == elsewhere[place])
            }
            for gap in rows..<stride { #expect(elsewhere[input * stride + gap] == sums[input * stride + gap]) }
        }
        #expect(elsewhere[1] == 0)
    }

    /// Where a row stands, and among how many, changes no bit of it.
    @Test func aRowIsTheSameAnywhere() {
        everyKernelSet { kernels in sameAnywhere(kernels) }
    }

    private func sameAnywhere<K: KernelSet>(_: K.Type) {
        var random = SplitMix(state: 32)
        let rows = K.columnBlock, weights: [K.Scalar] = random.numbers(6), row: [K.Scalar] = random.numbers(3)
        let x = row.flatMap { [K.Scalar](repeating: $0, count: rows) }
        let y = guarded([K.Scalar](repeating: 0, count: 2 * rows)) {
            K.combine(x, inputs: 3, weights: weights, bias: row, activation: .identity, into: $0, outputs: 2, stride: rows, rows: rows)
        }
        for output in 0..<2 { #expect(y[output * rows..<(output + 1) * rows].allSatisfy { $0 == y[output * rows] }) }
    }

    @Test(arguments: [1, 2, 5, 11, 70], [1, 3, 4, 15]) func whatWeightsGet(_ inputs: Int, _ outputs: Int) {
        everyKernelSet { kernels in weightGradients(kernels, inputs, outputs) }
    }

    private func weightGradients<K: KernelSet>(_: K.Type, _ inputs: Int, _ outputs: Int) {
        var random = SplitMix(state: 33)
        let rows = (inputs > 64 ? 20 : 2) * K.columnBlock, stride = rows + 3
        let x: [K.Scalar] = random.numbers(inputs * stride), g: [K.Scalar] = random.numbers(outputs * stride)
        for accumulate in [false, true] {
            let before: K.Scalar = 0.5, start = accumulate ? 0.5 : 0
            let weights = guarded([K.Scalar](repeating: before, count: inputs * outputs)) { weights in
                _ = guarded([K.Scalar](repeating: .nan, count: min(rows, K.columnRun) * K.tileColumns)) {
                    K.columnProducts(g, outputs: outputs, x, inputs: inputs, stride: stride, rows: rows, accumulate: accumulate, panel: $0, into: weights)
                }
            }
            let biases = guarded([K.Scalar](repeating: before, count: outputs)) {
                K.columnTotals(g, columns: outputs, stride: stride, rows: rows, accumulate: accumulate, into: $0)
            }
            for output in 0..<outputs {
                expectClose(biases[output], (0..<rows).reduce(start) { $0 + Double(g[output * stride + $1]) }, ulps: Double(8 * rows))
                for input in 0..<inputs {
                    let sum = (0..<rows).reduce(start) { $0 + Double(g[output * stride + $1]) * Double(x[input * stride + $1]) }
                    expectClose(weights[output * inputs + input], sum, ulps: Double(8 * rows))
                }
            }
        }
    }

    /// What the engine's columns are filled up to.
    @Test func aBlockDividesTheEnginesBlock() {
        everyKernelSet { kernels in #expect(32 % kernels.columnBlock == 0) }
    }
}
