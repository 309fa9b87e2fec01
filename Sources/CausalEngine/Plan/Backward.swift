package import CausalKernels

/// Where a backward pass writes; nil where a gradient is not wanted.
package struct GradientTargets<Scalar: EngineScalar> {
    /// One element a parameter.
    package var parameters: UnsafeMutablePointer<Scalar>?
    /// Instead of `parameters`, by tensor; nil where none is wanted.
    package var tensors: UnsafePointer<UnsafeMutableRawPointer?>?
    /// Whether `parameters` or `tensors` are added to instead of overwritten.
    package var accumulates = false
    /// The input's shape.
    package var inputs: UnsafeMutablePointer<Scalar>?
    /// By site, each of the shape of the values given there; empty where none is wanted.
    package var values: [UnsafeMutablePointer<Scalar>?] = []

    package init(parameters: UnsafeMutablePointer<Scalar>?, accumulates: Bool = false, inputs: UnsafeMutablePointer<Scalar>? = nil,
                 values: [UnsafeMutablePointer<Scalar>?] = []) {
        self.parameters = parameters
        self.accumulates = accumulates
        self.inputs = inputs
        self.values = values
    }

    fileprivate func target(_ tensor: Int, offset: Int) -> UnsafeMutablePointer<Scalar>? {
        if let parameters { return parameters + offset }
        return tensors?[tensor]?.assumingMemoryBound(to: Scalar.self)
    }
}

extension Plan {
    /// The chain rule through the pass in `trace`, from `dy` back. Shapes have been checked.
    func backward<Scalar: EngineScalar>(_ dy: UnsafePointer<Scalar>, parameters: UnsafePointer<Scalar>, _ trace: Trace<Scalar>,
                                        into targets: GradientTargets<Scalar>) throws(EngineError) {
        let kernels = Scalar.kernels, rows = trace.rows!
        let wantsValues = targets.values.contains { $0 != nil }
        let wantsInput = targets.inputs != nil || wantsValues || hasBiasOnInput
        try trace.reserveGradients()

        for (b, buffer) in buffers.enumerated() {
            let g = trace.gradients(b)
            if b == output {
                g.update(from: dy, count: rows * buffer.width)
            } else if !buffer.hasOneWriter, b != 0 || wantsInput {
                g.update(repeating: 0, count: rows * buffer.width)
            }
        }
        for (site, target) in targets.values.enumerated() {
            guard let target, let edit = trace.edits[site] else { continue }
            target.update(repeating: 0, count: edit.valueStride == 0 ? siteWidths[site] : rows * siteWidths[site])
        }

        for step in steps.reversed() {
            switch step {
            case .load:
                targets.inputs?.update(from: trace.gradients(0), count: rows * inputWidth)
            case .dense(let dense):
                try dense.backward(parameters, trace, rows, wantsInput: dense.from != 0 || wantsInput, into: targets)
            case .bias(let buffer, let offset, let tensor):
                guard let target = targets.target(tensor, offset: offset) else { continue }
                kernels.columnSums(trace.gradients(buffer), rows: rows, columns: buffers[buffer].width, accumulate: targets.accumulates,
                                   into: target)
            case .activate(let activation, let from, let to):
                guard from != 0 || wantsInput else { continue }
                let g = trace.gradients(to), count = rows * buffers[to].width
                kernels.activationGradient(activation, output: trace.values(to), input: trace.values(from), gradient: g, into: g, count: count)
                if from != to { pass(g, to: from, trace, count) }
            case .copy(let copy):
                guard copy.from != 0 || wantsInput else { continue }
                kernels.copyColumns(trace.gradients(copy.to), stride: buffers[copy.to].width, column: copy.toColumn,
                                    to: trace.gradients(copy.from), targetStride: buffers[copy.from].width, targetColumn: copy.fromColumn,
                                    rows: rows, width: copy.width, accumulate: !buffers[copy.from].hasOneWriter)
            case .intervene(let site, let buffer, let cuts):
                guard let edit = trace.edits[site], buffer != 0 || wantsInput else { continue }
                let target = cuts || targets.values.isEmpty ? nil : targets.values[site]
                kernels.selectGradient(trace.gradients(buffer), mask: edit.mask, maskStride: edit.maskStride,
                                       valueGradient: target, valueStride: edit.valueStride, rows: rows, columns: buffers[buffer].width)
            }
        }
    }

    private func pass<Scalar: EngineScalar>(_ g: UnsafePointer<Scalar>, to buffer: Int, _ trace: Trace<Scalar>, _ count: Int) {
        if buffers[buffer].hasOneWriter {
            trace.gradients(buffer).update(from: g, count: count)
        } else {
            Scalar.kernels.add(g, to: trace.gradients(buffer), count: count)
        }
    }
}

extension Plan.Dense {
    fileprivate func backward<Scalar: EngineScalar>(_ parameters: UnsafePointer<Scalar>, _ trace: Trace<Scalar>, _ rows: Int, wantsInput: Bool,
                                                    into targets: GradientTargets<Scalar>) throws(EngineError) {
        let kernels = Scalar.kernels
        let g = trace.gradients(to), x = UnsafePointer(trace.values(from))
        if activation != .identity {
            let y = trace.values(to)
            Threads.divide(rows * outputs, cost: 10) { part in
                kernels.activationGradient(activation, output: y + part.lowerBound, input: nil, gradient: g + part.lowerBound, into: g + part.lowerBound,
                                           count: part.count)
            }
        }
        if bias >= 0, let target = targets.target(tensor + 1, offset: bias) {
            kernels.columnSums(g, rows: rows, columns: outputs, accumulate: targets.accumulates, into: target)
        }
        if let target = targets.target(tensor, offset: weight) {
            if edges < 0 {
                try weightGradient(g, x, trace, rows, accumulates: targets.accumulates, into: target)
            } else {
                // An edge that is not there learns nothing.
                let all = trace.maskedGradient, isThere = trace.plan.edges[edges].isThere
                try weightGradient(g, x, trace, rows, accumulates: false, into: all)
                for i in 0..<isThere.count {
                    let gradient: Scalar = isThere[i] != 0 ? all[i] : 0
                    target[i] = targets.accumulates ? target[i] + gradient : gradient
                }
            }
        }
        if wantsInput {
            try inputGradient(g, parameters, trace, rows, accumulates: !trace.plan.buffers[from].hasOneWriter, into: trace.gradients(from))
        }
    }
}
