internal import CausalKernels

// A product multiplies every weight with every input, and 0 * NaN is NaN. Where an edge is cut by do(), or is not in the graph, a
// number that is not finite must not pass through it: the rows that hold one leave the product and are done edge by edge.
// Such rows are rare, and finding them costs one look at every number.

extension Plan.Dense {
    /// Copies the weights of the edges that are there; the others are zero, whatever the parameters hold.
    func mask<Scalar: EngineScalar>(_ weights: UnsafePointer<Scalar>, into masked: UnsafeMutablePointer<Scalar>, _ edges: Edges) {
        for i in 0..<edges.isThere.count { masked[i] = edges.isThere[i] != 0 ? weights[i] : 0 }
    }

    /// Computes again the rows of `y` whose inputs are not all finite, along the edges that are there.
    func repairRows<Scalar: EngineScalar>(_ x: UnsafePointer<Scalar>, _ weights: UnsafePointer<Scalar>, _ bias: UnsafePointer<Scalar>?,
                                          _ edges: Edges, _ rows: Int, _ y: UnsafeMutablePointer<Scalar>) {
        for row in nonFiniteRows(x, rows, inputs) {
            let x = x + row * inputs, y = y + row * outputs
            for j in 0..<outputs {
                var sum = bias?[j] ?? 0
                for p in 0..<inputs where edges.isThere[j * inputs + p] != 0 { sum += x[p] * weights[j * inputs + p] }
                y[j] = sum
            }
            Scalar.kernels.activate(activation, y, into: y, count: outputs)
        }
    }

    /// `dW (+)= gᵀ x`, where an input that is not finite counts only for the outputs that passed a gradient back.
    func weightGradient<Scalar: EngineScalar>(_ g: UnsafePointer<Scalar>, _ x: UnsafePointer<Scalar>, _ trace: Trace<Scalar>, _ rows: Int,
                                              accumulates: Bool, into dW: UnsafeMutablePointer<Scalar>) throws(EngineError) {
        let bad = trace.mayReadThroughCutEdges ? nonFiniteRows(x, rows, inputs) : []
        let finite = bad.isEmpty ? x : try without(bad, x, rows, inputs, trace)
        weightGradientProduct(rows)(g, finite, accumulates: accumulates, into: dW, panels: trace.panels)
        for row in bad {
            for j in 0..<outputs {
                let g = g[row * outputs + j]
                guard g != 0 else { continue }
                for p in 0..<inputs { dW[j * inputs + p] += g * x[row * inputs + p] }
            }
        }
    }

    /// `dx (+)= g W`, along the edges that are there.
    func inputGradient<Scalar: EngineScalar>(_ g: UnsafePointer<Scalar>, _ parameters: UnsafePointer<Scalar>, _ trace: Trace<Scalar>, _ rows: Int,
                                             accumulates: Bool, into dx: UnsafeMutablePointer<Scalar>) throws(EngineError) {
        let weights = effectiveWeights(parameters, trace)
        let bad = edges < 0 ? [] : nonFiniteRows(g, rows, outputs)
        let finite = bad.isEmpty ? g : try without(bad, g, rows, outputs, trace)
        inputGradientProduct(rows)(finite, weights, accumulates: accumulates, into: dx, panels: trace.panels)
        for row in bad {
            for j in 0..<outputs {
                for p in 0..<inputs where trace.plan.edges[edges].isThere[j * inputs + p] != 0 {
                    dx[row * inputs + p] += g[row * outputs + j] * weights[j * inputs + p]
                }
            }
        }
    }

    private func nonFiniteRows<Scalar: EngineScalar>(_ x: UnsafePointer<Scalar>, _ rows: Int, _ width: Int) -> [Int] {
        let kernels = Scalar.kernels
        var found: [Int] = []
        var row = 0
        while row < rows {
            row += kernels.firstNonFinite(x + row * width, count: (rows - row) * width) / width
            if row < rows { found.append(row) }
            row += 1
        }
        return found
    }

    /// A copy of `x` in which some rows are zero.
    private func without<Scalar: EngineScalar>(_ bad: [Int], _ x: UnsafePointer<Scalar>, _ rows: Int, _ width: Int,
                                               _ trace: Trace<Scalar>) throws(EngineError) -> UnsafePointer<Scalar> {
        let copy = try trace.screen(rows * width)
        copy.update(from: x, count: rows * width)
        for row in bad { (copy + row * width).update(repeating: 0, count: width) }
        return UnsafePointer(copy)
    }
}
