internal import CausalKernels

extension ColumnNetwork {
    /// How the one output of a network changes with each of its parameters, row by row: `jacobian[k]` is the derivative by parameter k. In the rows that
    /// fill the columns up it is 0. `trace` is that of the forward pass.
    func jacobian(_ x: Columns<Double>, _ parameters: UnsafePointer<Double>, _ trace: Trace<Double>, into jacobian: Columns<Double>) {
        let kernels = Double.kernels, rows = x.wholeRows, stride = x.stride
        // The derivative by a bias is that by the sum which its unit was given, from the output on.
        var slopes = jacobian[layers[layers.count - 1].bias]
        for i in 0..<rows { slopes[i] = i < x.rows ? 1 : 0 }
        for (k, layer) in layers.enumerated().reversed() {
            let from = k == 0 ? x.pointer : trace.units[layers[k - 1].place]
            for unit in 0..<layer.outputs {
                let slope = slopes + unit * stride
                for input in 0..<layer.inputs {
                    let value = from + input * stride, target = jacobian[layer.weight + unit * layer.inputs + input]
                    for i in 0..<rows { target[i] = slope[i] * value[i] }
                }
            }
            guard k > 0 else { break }
            let former = layers[k - 1], next = jacobian[former.bias]
            kernels.passBack(slopes, outputs: layer.outputs, weights: parameters + layer.weight, activation: activation, output: from,
                             input: trace.sums[former.place], into: next, inputs: layer.inputs, stride: stride, rows: rows)
            slopes = next
        }
    }
}
