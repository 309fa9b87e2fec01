internal import CausalKernels

/// A training step's pass by columns, with its memory: what `Plan.forward` and `backward` do, for narrow MLPs in a third of the time.
final class ColumnPass<Scalar: EngineScalar> {
    private let network: ColumnNetwork
    private let outputSite: Int?
    private let sitesOnInput: Set<Int>
    private var memory: Storage<Scalar>?
    private var x: Columns<Scalar>?

    /// Units of a layer up to which columns are faster.
    private static var widest: Int { 64 }

    /// Nil for a network that is no narrow MLP.
    init?(_ plan: Plan) {
        guard let network = plan.columns, network.widestLayer <= ColumnPass.widest else { return nil }
        self.network = network
        outputSite = plan.outputSite
        sitesOnInput = plan.sitesOnInput
    }

    /// Whether it does a pass: enough rows to fill the lanes, too few for several threads, and do() at the input and the output alone.
    func takes(_ x: MatrixView<Scalar>, _ edits: [SiteEdit<Scalar>?]) -> Bool {
        x.rows >= 16 && x.rows * network.largestLayer < Product.largeWork
            && edits.indices.allSatisfy { edits[$0] == nil || $0 == outputSite || sitesOnInput.contains($0) }
    }

    /// Writes y (rows, outputs), and keeps what `backward` needs.
    func forward(_ x: MatrixView<Scalar>, _ edits: [SiteEdit<Scalar>?], _ parameters: UnsafePointer<Scalar>, into y: UnsafeMutablePointer<Scalar>)
        throws(EngineError) {
        let inputs = try place(rows: x.rows)
        inputs.read(x, from: 0)
        for site in sitesOnInput { edits[site]?.set(inputs, x.columns) }
        inputs.fillUp(x.columns)
        network.forward(inputs, parameters, setting: [], trace, into: outputs)
        let answer = MutableMatrixView(y, rows: x.rows, columns: network.outputs)
        outputs.write(to: answer, from: 0)
        if let edit = outputSite.flatMap({ edits[$0] }) {
            Scalar.kernels.select(y, mask: edit.mask, maskStride: edit.maskStride, values: edit.values, valueStride: edit.valueStride, into: y,
                                  rows: x.rows, columns: network.outputs)
        }
    }

    /// Writes the gradient of all parameters, or adds it, from that of y, which is changed.
    func backward(_ dy: UnsafeMutablePointer<Scalar>, _ edits: [SiteEdit<Scalar>?], _ parameters: UnsafePointer<Scalar>,
                  into gradient: UnsafeMutablePointer<Scalar>, accumulates: Bool) {
        let rows = x!.rows, g = outputs
        if let edit = outputSite.flatMap({ edits[$0] }) {
            Scalar.kernels.selectGradient(dy, mask: edit.mask, maskStride: edit.maskStride, valueGradient: nil, valueStride: 0, rows: rows,
                                          columns: network.outputs)
        }
        g.read(MatrixView(dy, rows: rows, columns: network.outputs), from: 0)
        g.fillUp(network.outputs)
        network.backward(g, x!, parameters, setting: [], trace, scratch: g.from(network.outputs),
                         into: ColumnNetwork.Targets(parameters: gradient, accumulates: accumulates)) { _, _, _ in }
    }

    // MARK: Memory: inputs, trace, outputs, and room for the way back, one after the other

    private var trace: ColumnNetwork.Trace<Scalar> { network.trace(in: x!.from(network.inputs)) }
    private var outputs: Columns<Scalar> { x!.from(network.inputs + network.traceColumns) }

    private func place(rows: Int) throws(EngineError) -> Columns<Scalar> {
        if let x, x.rows == rows { return x }
        let count = try Columns<Scalar>.size(network.inputs + network.traceColumns + network.outputs + network.scratchColumns, rows: rows)
        if memory.map({ $0.count < count }) ?? true { memory = try Storage(count: count, of: "columns of \(rows) rows") }
        let columns = Columns(memory!.pointer, rows: rows)
        x = columns
        return columns
    }
}

extension SiteEdit {
    /// do() on columns of the same rows.
    fileprivate func set(_ x: Columns<Scalar>, _ columns: Int) {
        for k in 0..<columns {
            let column = x[k]
            for i in 0..<x.rows {
                let value = values[i * valueStride + k], own = column[i]
                column[i] = mask[i * maskStride + k] != 0 ? value : own
            }
        }
    }
}
