public import CausalKernels
internal import Synchronization

/// A network and its numbers.
///
/// ```swift
/// let model = try Model<Float>(.mlp(inputs: 3, hidden: [16, 16], outputs: 1), seed: 0)
/// let y = try model.predict(x, under: Intervention().setting(site: 0, mask: [false, true, false], values: [0, 0.5, 0]))
/// ```
///
/// Many threads may predict, or run forward and backward with traces of their own, with one model at once; changing its parameters
/// (training, `parameters.set`) wants the model alone.
public final class Model<Scalar: EngineScalar>: @unchecked Sendable {
    public let network: Network
    public let layout: ParameterLayout
    /// The model's own; nil where every call names a buffer of the caller's.
    public let parameters: Parameters<Scalar>?
    package let plan: Plan
    /// Traces that predictions use, kept for the next one.
    nonisolated(unsafe) private var idleTraces: [Trace<Scalar>] = []
    private let idleTracesLock = Lock()

    /// A model with parameters of its own, drawn from `seed` as `torch.nn.Linear` draws them.
    ///
    /// - Throws: what `Network.validate` finds; `.memory` where there is not enough.
    public convenience init(_ network: Network, seed: UInt64) throws(EngineError) {
        try self.init(network, ownsParameters: true)
        parameters?.initialize(layout, seed: seed)
    }

    /// A model whose parameters, if it owns any, are zero.
    public init(_ network: Network, ownsParameters: Bool) throws(EngineError) {
        try network.validate()
        let layout = try ParameterLayout(network)
        self.network = network
        self.layout = layout
        plan = try Plan(network, layout)
        parameters = ownsParameters ? try Parameters(count: layout.count) : nil
    }

    // MARK: Whole matrices

    /// `y = f(x)` under an intervention: (n, inputs) to (n, outputs), in memory that does not grow with n.
    ///
    /// - Throws: `.shape` or `.name` where x or the intervention does not fit.
    public func predict(_ x: Matrix<Scalar>, under intervention: Intervention<Scalar>? = nil,
                        parameters: Parameters<Scalar>? = nil) throws(EngineError) -> Matrix<Scalar> {
        try answer(x) { x, y throws(EngineError) in try predict(x, under: intervention, parameters: parameters, into: y) }
    }

    /// `predict` that keeps in `trace` what `backward` needs.
    public func forward(_ x: Matrix<Scalar>, under intervention: Intervention<Scalar>? = nil, trace: Trace<Scalar>,
                        parameters: Parameters<Scalar>? = nil) throws(EngineError) -> Matrix<Scalar> {
        try answer(x) { x, y throws(EngineError) in try forward(x, under: intervention, parameters: parameters, trace, into: y) }
    }

    private func answer(_ x: Matrix<Scalar>, _ body: (MatrixView<Scalar>, MutableMatrixView<Scalar>) throws(EngineError) -> Void)
        throws(EngineError) -> Matrix<Scalar> {
        var y = try Matrix<Scalar>(rows: x.rows, columns: plan.outputWidth, repeating: 0)
        try x.withView { x throws(EngineError) in
            try y.withMutableView { y throws(EngineError) in try body(x, y) }
        }
        return y
    }

    /// What `backward` finds.
    public struct Gradients: Sendable {
        /// One a parameter, in the order of the layout.
        public var parameters: [Scalar]
        /// The input's shape; exactly 0 where an input was set.
        public var inputs: Matrix<Scalar>
        /// For each site that was intervened on, the shape of the values given there; summed over rows where they were shared.
        public var values: [Int: Matrix<Scalar>]
    }

    /// The chain rule through the pass in `trace`: from `dy`, the gradient with respect to its answer, to all gradients.
    ///
    /// - Throws: `.state` where the trace holds no pass of this model, or its parameters changed since; `.shape` where dy does not fit.
    public func backward(_ dy: Matrix<Scalar>, trace: Trace<Scalar>, parameters: Parameters<Scalar>? = nil) throws(EngineError) -> Gradients {
        let rows = trace.rows ?? 0
        var gradients = Gradients(parameters: [Scalar](repeating: 0, count: layout.count),
                                  inputs: try Matrix(rows: rows, columns: plan.inputWidth, repeating: 0), values: [:])
        var buffers: [Storage<Scalar>?] = []
        for (site, width) in plan.siteWidths.enumerated() {
            buffers.append(try trace.edits[site].map { edit throws(EngineError) in
                try Storage(count: edit.valueStride == 0 ? width : rows * width, of: "gradient of values at site \(site)")
            })
        }
        var all = gradients.parameters
        try gradients.inputs.withMutableView { inputs throws(EngineError) in
            try all.withUnsafeMutableBufferPointer { all throws(EngineError) in
                let targets = GradientTargets(parameters: all.baseAddress ?? emptyAddress(), inputs: inputs.pointer, values: buffers.map { $0?.pointer })
                try dy.withView { dy throws(EngineError) in try backward(dy, parameters: parameters, trace, into: targets) }
            }
        }
        gradients.parameters = all
        for (site, buffer) in buffers.enumerated() {
            guard let buffer else { continue }
            let width = plan.siteWidths[site]
            gradients.values[site] = try Matrix(rows: buffer.count / max(width, 1), columns: width, Array(buffer.buffer))
        }
        return gradients
    }

    // MARK: Views
    // Code that is generic over `Scalar` and called by code that is generic too, as the ABI is, runs unspecialised and asks at run time what a
    // Scalar is: half the time of a small pass. So each pass enters through a function that is compiled for both.

    /// Rows that a prediction takes at a time: enough to keep the processor busy, few enough to stay in its cache.
    private static var chunkRows: Int { 256 }

    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    package func predict(_ x: MatrixView<Scalar>, under intervention: Intervention<Scalar>?, parameters: Parameters<Scalar>?,
                         into y: MutableMatrixView<Scalar>) throws(EngineError) {
        let parameters = try check(x, y, intervention, parameters)
        // A single row left over, which would be summed in an order of its own, goes with those before it.
        let size = Model.chunkRows, chunks = max((x.rows + size - 2) / size, 1)
        func predict(from first: Int, count: Int) throws(EngineError) {
            let trace = try takeTrace()
            defer { giveBack(trace) }
            try trace.begin(rows: count, parameters: parameters, intervention: intervention)
            trace.setEdits(intervention, from: first)
            plan.forward(x.rows(from: first, count: count).pointer, parameters: parameters.pointer, trace,
                         into: y.rows(from: first, count: count).pointer)
        }
        guard chunks > 1 else { return try predict(from: 0, count: x.rows) }
        let failed = Atomic(false)
        nonisolated(unsafe) var failure: EngineError?      // of the first that failed
        Threads.run(chunks: chunks, work: x.rows * layout.count) { chunk in
            do throws(EngineError) {
                try predict(from: chunk * size, count: chunk == chunks - 1 ? x.rows - chunk * size : size)
            } catch {
                if !failed.exchange(true, ordering: .relaxed) { failure = error }
            }
        }
        if let failure { throw failure }
    }

    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    package func forward(_ x: MatrixView<Scalar>, under intervention: Intervention<Scalar>?, parameters: Parameters<Scalar>?,
                         _ trace: Trace<Scalar>, into y: MutableMatrixView<Scalar>) throws(EngineError) {
        let parameters = try check(x, y, intervention, parameters)
        try expect(trace)
        try trace.begin(rows: x.rows, parameters: parameters, intervention: intervention)
        trace.setEdits(intervention, from: 0)
        plan.forward(x.pointer, parameters: parameters.pointer, trace, into: y.pointer)
    }

    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    package func backward(_ dy: MatrixView<Scalar>, parameters: Parameters<Scalar>?, _ trace: Trace<Scalar>,
                          into targets: GradientTargets<Scalar>) throws(EngineError) {
        try expect(trace)
        let parameters = try resolve(parameters)
        let rows = try trace.check(parameters)
        guard dy.rows == rows, dy.columns == plan.outputWidth else {
            throw EngineError(.shape, "backward: dy of shape \(dy.shape), expected (\(rows), \(plan.outputWidth)) as y")
        }
        try plan.backward(dy.pointer, parameters: parameters.pointer, trace, into: targets)
    }

    /// A trace for passes of this model.
    public func makeTrace() throws(EngineError) -> Trace<Scalar> { try Trace(plan, of: self) }

    // MARK: Checks

    private func check(_ x: MatrixView<Scalar>, _ y: MutableMatrixView<Scalar>, _ intervention: Intervention<Scalar>?,
                       _ parameters: Parameters<Scalar>?) throws(EngineError) -> Parameters<Scalar> {
        guard x.columns == plan.inputWidth else {
            throw EngineError(.shape, "x of shape \(x.shape), expected (rows, \(plan.inputWidth)): one column for each input")
        }
        guard y.rows == x.rows, y.columns == plan.outputWidth else {
            throw EngineError(.shape, "y of shape \(y.shape), expected (\(x.rows), \(plan.outputWidth))")
        }
        try intervention?.check(siteWidths: plan.siteWidths, rows: x.rows)
        return try resolve(parameters)
    }

    /// The buffer named in a call, or the model's own.
    package func resolve(_ named: Parameters<Scalar>?) throws(EngineError) -> Parameters<Scalar> {
        guard let parameters = named ?? parameters else {
            throw EngineError(.state, "the model holds no parameters of its own, expected a buffer of \(layout.count) in this call")
        }
        guard parameters.count == layout.count else {
            throw EngineError(.shape, "parameters: \(parameters.count) numbers, expected \(layout.count)")
        }
        return parameters
    }

    private func expect(_ trace: Trace<Scalar>) throws(EngineError) {
        guard trace.owner === self else { throw EngineError(.state, "the trace belongs to another model") }
    }

    // A trace that cannot be had at once is made: in a forked child the lock may be held by a thread that no longer exists.
    private func takeTrace() throws(EngineError) -> Trace<Scalar> {
        if let idle = idleTracesLock.withLockIfAvailable({ idleTraces.popLast() }), let idle { return idle }
        return try Trace(plan, of: nil)
    }

    private func giveBack(_ trace: Trace<Scalar>) {
        trace.end()
        _ = idleTracesLock.withLockIfAvailable { if idleTraces.count < Threads.count { idleTraces.append(trace) } }
    }
}
