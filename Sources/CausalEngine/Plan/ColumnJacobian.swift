internal import CausalKernels

extension ColumnNetwork {
    /// How the one output of a network changes with each of its parameters, row by row: `jacobian[k]` is the derivative by parameter k. In the rows that
    /// fill the columns up it is 0. `trace` is that of the forward pass.
    func jacobian(_ x: Columns<Double>, _ parameters: UnsafePointer<Double>, _ trace: Trace<Double>, scratch: Columns<Double>, into jacobian: Columns<Double>) {
        let kernels = Double.kernels, rows = x.wholeRows
        // The derivative by the sum of each unit, from the output on.
        var g = jacobian[layers[layers.count - 1].bias]
        for i in 0..<rows { g[i] = i < x.rows ? 1 : 0 }
        for (k, layer) in layers.enumerated().reversed() {
            let from = k == 0 ? x.pointer : values(ofLayer: k - 1, in: trace)
            for unit in 0..<layer.outputs {
                let slope = g + unit * x.stride
                for input in 0..<layer.inputs {
                    let value = from + input * x.stride, target = jacobian[layer.weight + unit * layer.inputs + input]
                    for i in 0..<rows { target[i] = slope[i] * value[i] }
                }
                if k < layers.count - 1 { jacobian[layer.bias + unit].update(from: slope, count: rows) }
            }
            guard k > 0 else { break }
            let next = scratch[k % 2 * scratchColumns / 2]
            kernels.combine(g, inputs: layer.outputs, weights: parameters + layer.weight, outputStride: 1, inputStride: layer.inputs, bias: nil,
                            activation: .identity, into: next, outputs: layer.inputs, stride: x.stride, rows: rows)
            activationGradients(ofLayer: k - 1, trace, rows: rows, stride: x.stride, next)
            g = next
        }
    }
}
