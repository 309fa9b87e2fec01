internal import CausalKernels

/// The network of a mechanism, an MLP, as it runs on columns: a layer makes columns of columns. Training runs the same numbers row by row, in a `Plan`.
struct ColumnNetwork<Scalar: EngineScalar>: Sendable {
    fileprivate struct Layer {
        let inputs: Int
        let outputs: Int
        /// Where its numbers begin among the parameters.
        let weight: Int
        let bias: Int
        /// The first of its outputs among those of all hidden layers.
        let place: Int
    }

    private let layers: [Layer]
    private let activation: Activation
    /// Units of all hidden layers together, and of the widest.
    private let hiddenUnits: Int
    private let widestLayer: Int
    var inputs: Int { layers[0].inputs }
    var outputs: Int { layers[layers.count - 1].outputs }

    init(_ model: Model<Scalar>) {
        let tensors = model.layout.tensors
        var layers: [Layer] = [], place = 0
        for (weight, bias) in zip(tensors, tensors.dropFirst()) where weight.isWeight {
            layers.append(Layer(inputs: weight.shape[1], outputs: weight.shape[0], weight: weight.offset, bias: bias.offset, place: place))
            place += weight.shape[0]
        }
        var activation = Activation.identity
        for node in model.network.nodes {
            if case .activation(let function, _) = node.operation { activation = function }
        }
        self.layers = layers
        self.activation = activation
        hiddenUnits = layers.dropLast().reduce(0) { $0 + $1.outputs }
        widestLayer = layers.dropLast().map(\.outputs).max() ?? 0
    }

    /// What a forward pass leaves for the way back: the outputs of all hidden units, and what their activation was given where its derivative asks
    /// for that.
    struct Trace {
        fileprivate let units: Columns<Scalar>
        fileprivate let sums: Columns<Scalar>

        /// The numbers of hidden unit `unit` of a layer.
        fileprivate func output(_ layer: Layer, _ unit: Int) -> UnsafeMutablePointer<Scalar> { units[layer.place + unit] }
    }

    func withTrace<Result>(rows: Int, _ body: (Trace) throws(EngineError) -> Result) throws(EngineError) -> Result {
        let keepsSums = activation.needsInputForGradient
        return try withColumns(hiddenUnits * (keepsSums ? 2 : 1), rows: rows, Scalar.self) { columns throws(EngineError) in
            try body(Trace(units: columns, sums: keepsSums ? columns.from(hiddenUnits) : columns))
        }
    }

    /// What a hidden unit was in a pass.
    func values(of unit: HiddenUnit, in trace: Trace) -> UnsafeMutablePointer<Scalar> { trace.output(layers[unit.layer], unit.unit) }

    /// From the code of the parents to the head. All columns have the same rows.
    func forward(_ codes: Columns<Scalar>, _ parameters: UnsafePointer<Scalar>, setting units: [SetUnit], _ trace: Trace, into heads: Columns<Scalar>) {
        var x = codes.pointer
        for (k, layer) in layers.enumerated() {
            let isLast = k == layers.count - 1
            let y = isLast ? heads.pointer : trace.output(layer, 0), sums = isLast ? y : trace.sums[layer.place]
            Scalar.kernels.combine(x, inputs: layer.inputs, weights: parameters + layer.weight, outputStride: layer.inputs, inputStride: 1,
                                   bias: parameters + layer.bias, activation: isLast ? .identity : activation, into: sums, outputs: layer.outputs,
                                   stride: codes.stride, rows: codes.wholeRows)
            if !isLast {
                if !activation.isApplied {
                    for unit in 0..<layer.outputs {
                        let place = unit * codes.stride
                        Scalar.kernels.activate(activation, sums + place, into: y + place, count: codes.wholeRows)
                    }
                }
                for unit in units where unit.layer == k { unit.set(trace.output(layer, unit.unit)) }
            }
            x = y
        }
    }

    /// From the gradient of the head to that of the code, and of the values that hidden units were set to, by number in `units`.
    func backward(_ headGradients: Columns<Scalar>, _ parameters: UnsafePointer<Scalar>, setting units: [SetUnit], _ trace: Trace,
                  into codeGradients: Columns<Scalar>, ofUnits: (_ unit: Int, _ row: Int, _ gradient: Scalar) -> Void) throws(EngineError) {
        try withColumns(2 * widestLayer, rows: headGradients.rows, Scalar.self) { memory throws(EngineError) in
            var g = headGradients.pointer
            for (k, layer) in layers.enumerated().reversed() {
                let ofInputs = k == 0 ? codeGradients.pointer : memory[k % 2 * widestLayer]
                Scalar.kernels.combine(g, inputs: layer.outputs, weights: parameters + layer.weight, outputStride: 1, inputStride: layer.inputs, bias: nil,
                                       activation: .identity, into: ofInputs, outputs: layer.inputs, stride: memory.stride, rows: memory.wholeRows)
                g = ofInputs
                guard k > 0 else { break }
                let former = layers[k - 1]
                for (number, unit) in units.enumerated() where unit.layer == k - 1 {
                    unit.cut(g + unit.unit * memory.stride) { row, gradient in ofUnits(number, row, gradient) }
                }
                for unit in 0..<former.outputs {
                    Scalar.kernels.activationGradient(activation, output: trace.output(former, unit), input: trace.sums[former.place + unit],
                                                      gradient: g + unit * memory.stride, count: memory.wholeRows)
                }
            }
        }
    }
}

extension Activation {
    /// Whether `combine` applies it.
    fileprivate var isApplied: Bool { self == .identity || self == .relu || self == .leakyRelu }
}
