internal import CausalKernels

/// An MLP as it runs on columns, where one number of all rows lies together: rows are the lanes of the processor, so that layers of one unit keep
/// it as busy as wide ones. A `Plan` does the same row by row, for every network, and is faster from about a hundred units on.
struct ColumnNetwork: Sendable {
    struct Layer {
        let inputs: Int
        let outputs: Int
        /// Where its numbers begin among the parameters.
        let weight: Int
        let bias: Int
        /// The first of its outputs among those of all hidden layers.
        let place: Int
        /// Where do() sets its outputs, after their activation; nil where nothing does.
        var site: Int?

        func edit<Scalar>(_ edits: [SiteEdit<Scalar>?]) -> SiteEdit<Scalar>? { site.flatMap { $0 < edits.count ? edits[$0] : nil } }
    }

    let layers: [Layer]
    let activation: Activation
    /// Units of all hidden layers together.
    private let hiddenUnits: Int
    let widestLayer: Int
    /// Multiply-adds that take as long as a row, about: an activation that is a series takes as long as twenty.
    let workOfRow: Int
    var inputs: Int { layers[0].inputs }
    var outputs: Int { layers[layers.count - 1].outputs }
    let parameterCount: Int

    /// Nil for a network that is no MLP: linear layers with all edges, and one activation between them.
    init?(_ network: Network, _ layout: ParameterLayout) {
        let tensors = Dictionary(uniqueKeysWithValues: layout.tensors.map { ($0.name, $0.offset) })
        var layers: [Layer] = [], activations: [Activation] = [], place = 0, sites = 0
        for (node, description) in network.nodes.enumerated() {
            switch description.operation {
            case .input: continue
            case .site(node - 1):
                if let layer = layers.indices.last, layers[layer].site == nil { layers[layer].site = sites }
                sites += 1
            case .linear(from: node - 1, hasBias: true, edges: nil):
                layers.append(Layer(inputs: network.nodes[node - 1].width, outputs: description.width, weight: tensors["\(description.name).weight"]!,
                                    bias: tensors["\(description.name).bias"]!, place: place))
                place += description.width
            case .activation(let activation, from: node - 1):
                guard !layers.isEmpty, activations.count == layers.count - 1 else { return nil }
                activations.append(activation)
                layers[layers.count - 1].site = nil     // one before the activation sets what that is given
            default: return nil
            }
        }
        guard !layers.isEmpty, network.output == network.nodes.count - 1, activations.isEmpty || activations.count == layers.count - 1,
              Set(activations).count <= 1 else { return nil }
        self.layers = layers
        activation = activations.first ?? .identity
        hiddenUnits = layers.dropLast().reduce(0) { $0 + $1.outputs }
        widestLayer = layers.reduce(0) { max($0, $1.inputs, $1.outputs) }
        parameterCount = layers.reduce(0) { $0 + $1.outputs * ($1.inputs + 1) }
        workOfRow = parameterCount + (activation.isFused ? 0 : 20 * hiddenUnits)
    }

    // MARK: What a pass leaves for the way back, which uses it up

    /// Columns that a trace takes.
    var traceColumns: Int { hiddenUnits * (activation.needsInputForGradient ? 2 : 1) }

    /// The outputs of all hidden units, and what their activation was given where its derivative asks for that.
    struct Trace<Scalar: EngineScalar> {
        let units: Columns<Scalar>
        let sums: Columns<Scalar>
    }

    func trace<Scalar: EngineScalar>(in columns: Columns<Scalar>) -> Trace<Scalar> {
        Trace(units: columns, sums: activation.needsInputForGradient ? columns.from(hiddenUnits) : columns)
    }

    /// What a unit of a hidden layer was in a pass.
    func values<Scalar: EngineScalar>(ofUnit unit: Int, layer: Int, in trace: Trace<Scalar>) -> UnsafeMutablePointer<Scalar> {
        trace.units[layers[layer].place + unit]
    }

    // MARK: Passes. All columns have the same rows.

    /// What do() sets is given by site, beginning with a row of its own; it may be empty. What it sets at the inputs is in x already.
    func forward<Scalar: EngineScalar>(_ x: Columns<Scalar>, _ parameters: UnsafePointer<Scalar>, setting edits: [SiteEdit<Scalar>?] = [], from row: Int = 0,
                                       _ trace: Trace<Scalar>, into y: Columns<Scalar>) {
        let kernels = Scalar.kernels
        var from = x.pointer
        for (k, layer) in layers.enumerated() {
            let isLast = k == layers.count - 1
            let units = isLast ? y : trace.units.from(layer.place)
            let to = units.pointer, sums = isLast ? to : trace.sums[layer.place]
            kernels.combine(from, inputs: layer.inputs, weights: parameters + layer.weight, bias: parameters + layer.bias,
                            activation: isLast ? .identity : activation, into: sums, outputs: layer.outputs, stride: x.stride, rows: x.wholeRows)
            if !isLast {
                if activation.needsInputForGradient {
                    for unit in 0..<layer.outputs {
                        kernels.activate(activation, sums + unit * x.stride, into: to + unit * x.stride, count: x.wholeRows)
                    }
                }
            }
            layer.edit(edits)?.set(units, width: layer.outputs, from: row)
            from = to
        }
    }

    /// Rows that fill the columns up, and those of which do() sets the whole of a later layer, are read by nobody: what comes before may be missing there,
    /// or be more than the layers can bear. It is 0 on the way back, since its products with gradients of 0 would not be where it is not finite.
    private func clearUnread<Scalar: EngineScalar>(_ x: Columns<Scalar>, _ trace: Trace<Scalar>, _ edits: [SiteEdit<Scalar>?], _ first: Int) {
        trace.units.fillUp(hiddenUnits)
        if activation.needsInputForGradient { trace.sums.fillUp(hiddenUnits) }
        guard layers.contains(where: { $0.edit(edits) != nil }) else { return }
        withUnsafeTemporaryAllocation(of: Bool.self, capacity: x.rows) { isUnread in
            isUnread.initialize(repeating: false)
            var areAny = false
            for (k, layer) in layers.enumerated().reversed() {
                if areAny, k < layers.count - 1 {
                    trace.units.from(layer.place).clear(layer.outputs, where: isUnread)
                    if activation.needsInputForGradient { trace.sums.from(layer.place).clear(layer.outputs, where: isUnread) }
                }
                if let edit = layer.edit(edits), edit.mark(isUnread, whereItSetsAll: layer.outputs, from: first) { areAny = true }
            }
            if areAny { x.clear(inputs, where: isUnread) }
        }
    }

    /// Where a backward pass writes.
    struct Targets<Scalar: EngineScalar> {
        var inputs: Columns<Scalar>?
        /// One number a parameter.
        var parameters: UnsafeMutablePointer<Scalar>?
        /// Room that the gradients of weights need: `panelCount`.
        var panel: UnsafeMutablePointer<Scalar>?
        /// Whether `parameters` is added to.
        var accumulates = false

        static func panelCount(rows: Int) -> Int { min(Columns<Scalar>.whole(rows), Scalar.kernels.columnRun) * Scalar.kernels.tileColumns }
    }

    /// From the gradient of the outputs, which is 0 in the rows that fill the columns up, and is changed, as x is. Of values that do() set at hidden units,
    /// `ofValues` gets the gradient. The values of a layer make room for their gradients, so that these take no memory of their own.
    func backward<Scalar: EngineScalar>(_ outputGradients: Columns<Scalar>, _ x: Columns<Scalar>, _ parameters: UnsafePointer<Scalar>,
                                        setting edits: [SiteEdit<Scalar>?] = [], from row: Int = 0, _ trace: Trace<Scalar>, into targets: Targets<Scalar>,
                                        ofValues: ((_ layer: Int, _ unit: Int, _ row: Int, _ gradient: Scalar) -> Void)? = nil) {
        let kernels = Scalar.kernels, stride = x.stride, rows = x.wholeRows
        var g = outputGradients.pointer
        clearUnread(x, trace, edits, row)
        layers.last!.edit(edits)?.clear(outputGradients, width: outputs, from: row)
        for (k, layer) in layers.enumerated().reversed() {
            let from = k == 0 ? x.pointer : trace.units[layers[k - 1].place]
            if let gradient = targets.parameters {
                kernels.columnProducts(g, outputs: layer.outputs, from, inputs: layer.inputs, stride: stride, rows: rows, accumulate: targets.accumulates,
                                       panel: targets.panel!, into: gradient + layer.weight)
                kernels.columnTotals(g, columns: layer.outputs, stride: stride, rows: rows, accumulate: targets.accumulates, into: gradient + layer.bias)
            }
            guard k > 0 else {
                if let inputs = targets.inputs {
                    kernels.passBack(g, outputs: layer.outputs, weights: parameters + layer.weight, activation: .identity, output: from, input: nil,
                                     into: inputs.pointer, inputs: layer.inputs, stride: stride, rows: rows)
                }
                break
            }
            let former = layers[k - 1], edit = former.edit(edits)
            if let edit, let ofValues {
                for i in 0..<x.rows {
                    edit.forEachSet(former.outputs, ofRow: row + i) { unit in
                        let weights = parameters + layer.weight + unit
                        ofValues(k - 1, unit, i, (0..<layer.outputs).reduce(0) { $0 + weights[$1 * layer.inputs] * g[$1 * stride + i] })
                    }
                }
            }
            kernels.passBack(g, outputs: layer.outputs, weights: parameters + layer.weight, activation: activation, output: from,
                             input: trace.sums[former.place], into: from, inputs: layer.inputs, stride: stride, rows: rows)
            edit?.clear(trace.units.from(former.place), width: former.outputs, from: row)
            g = from
        }
    }
}
