internal import CausalKernels

extension Plan {
    /// Runs the network on `x`, leaving in `trace` what `backward` needs, and writes the answer to `y`. The trace has its edits
    /// and has begun; shapes have been checked.
    func forward<Scalar: EngineScalar>(_ x: UnsafePointer<Scalar>, parameters: UnsafePointer<Scalar>, _ trace: Trace<Scalar>,
                                       into y: UnsafeMutablePointer<Scalar>?) {
        let kernels = Scalar.kernels, rows = trace.rows!
        for step in steps {
            switch step {
            case .load:
                trace.values(0).update(from: x, count: rows * buffers[0].width)
            case .dense(let dense):
                dense.forward(parameters, trace, rows)
            case .bias(let buffer, let offset, _):
                let h = trace.values(buffer)
                kernels.addBias(parameters + offset, to: h, into: h, rows: rows, columns: buffers[buffer].width)
            case .activate(let activation, let from, let to):
                kernels.activate(activation, trace.values(from), into: trace.values(to), count: rows * buffers[to].width)
            case .copy(let copy):
                kernels.copyColumns(trace.values(copy.from), stride: buffers[copy.from].width, column: copy.fromColumn,
                                    to: trace.values(copy.to), targetStride: buffers[copy.to].width, targetColumn: copy.toColumn,
                                    rows: rows, width: copy.width, accumulate: copy.adds)
            case .intervene(let site, let buffer, let cuts):
                guard let edit = trace.edits[site] else { continue }
                let h = trace.values(buffer)
                kernels.select(h, mask: edit.mask, maskStride: edit.maskStride,
                               values: cuts ? trace.cutValues : edit.values, valueStride: cuts ? 0 : edit.valueStride,
                               into: h, rows: rows, columns: buffers[buffer].width)
            }
        }
        y?.update(from: trace.values(output), count: rows * outputWidth)
    }
}

extension Plan.Dense {
    fileprivate func forward<Scalar: EngineScalar>(_ parameters: UnsafePointer<Scalar>, _ trace: Trace<Scalar>, _ rows: Int) {
        let x = UnsafePointer(trace.values(from)), y = trace.values(to)
        let bias = bias < 0 ? nil : parameters + bias
        if edges >= 0 { mask(parameters + weight, into: trace.maskedWeights(edges), trace.plan.edges[edges]) }
        forwardProduct(rows)(x, effectiveWeights(parameters, trace), bias: bias, activation: activation, into: y, panels: trace.panels)
        if edges >= 0 { repairRows(x, parameters + weight, bias, trace.plan.edges[edges], rows, y) }
    }

    /// The weights that the products of a pass use.
    func effectiveWeights<Scalar: EngineScalar>(_ parameters: UnsafePointer<Scalar>, _ trace: Trace<Scalar>) -> UnsafePointer<Scalar> {
        edges < 0 ? parameters + weight : UnsafePointer(trace.maskedWeights(edges))
    }
}
