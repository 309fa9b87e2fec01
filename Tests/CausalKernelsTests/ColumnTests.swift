import CausalKernelInterface
import Testing

@Suite struct ColumnTests {
    @Test(arguments: [1, 2, 5], [1, 2, 3, 7]) func layerOnColumns(_ inputs: Int, _ outputs: Int) {
        everyKernelSet { kernels in
            for activation in [Activation.identity, .relu, .leakyRelu] {
                for isTransposed in [false, true] { combine(kernels, inputs, outputs, activation, isTransposed) }
            }
        }
    }

    private func combine<K: KernelSet>(_: K.Type, _ inputs: Int, _ outputs: Int, _ activation: Activation, _ isTransposed: Bool) {
        var random = SplitMix(state: 31)
        let rows = 2 * K.columnBlock, stride = rows + 3, targetStride = rows + 5
        let x: [K.Scalar] = random.numbers(inputs * stride), weights: [K.Scalar] = random.numbers(inputs * outputs), bias: [K.Scalar] = random.numbers(outputs)
        let (outputStride, inputStride) = isTransposed ? (1, outputs) : (inputs, 1)
        let untouched: K.Scalar = 9
        let y = guarded([K.Scalar](repeating: untouched, count: outputs * targetStride)) {
            K.combine(x, inputs: inputs, weights: weights, outputStride: outputStride, inputStride: inputStride, bias: bias, activation: activation,
                      into: $0, outputs: outputs, stride: stride, targetStride: targetStride, rows: rows)
        }
        for output in 0..<outputs {
            for row in 0..<rows {
                let sum = (0..<inputs).reduce(Double(bias[output])) {
                    $0 + Double(weights[output * outputStride + $1 * inputStride]) * Double(x[$1 * stride + row])
                }
                let slope = activation == .relu ? 0 : activation == .leakyRelu ? 0.01 : 1
                expectClose(y[output * targetStride + row], sum < 0 ? slope * sum : sum, ulps: 32)
            }
            for gap in rows..<targetStride { #expect(y[output * targetStride + gap] == untouched) }
        }
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
            K.combine(x, inputs: 3, weights: weights, outputStride: 3, inputStride: 1, bias: nil, activation: .identity, into: $0, outputs: 2, stride: rows,
                      targetStride: rows, rows: rows)
        }
        for output in 0..<2 { #expect(y[output * rows..<(output + 1) * rows].allSatisfy { $0 == y[output * rows] }) }
    }

    @Test(arguments: [1, 2, 5], [1, 3, 4, 6]) func whatWeightsGet(_ inputs: Int, _ outputs: Int) {
        everyKernelSet { kernels in weightGradients(kernels, inputs, outputs) }
    }

    private func weightGradients<K: KernelSet>(_: K.Type, _ inputs: Int, _ outputs: Int) {
        var random = SplitMix(state: 33)
        let rows = 2 * K.columnBlock, stride = rows + 3
        let x: [K.Scalar] = random.numbers(inputs * stride), g: [K.Scalar] = random.numbers(outputs * stride)
        for accumulate in [false, true] {
            let before: K.Scalar = 0.5, start = accumulate ? 0.5 : 0
            let weights = guarded([K.Scalar](repeating: before, count: inputs * outputs)) {
                K.columnProducts(g, outputs: outputs, x, inputs: inputs, stride: stride, rows: rows, accumulate: accumulate, into: $0)
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
