internal import CausalKernels

/// The arrays of a structural model, as a checkpoint holds them: first the noise that was kept, in doubles, then the networks' tensors; each
/// by member and, for one member, by variable.
extension StructuralModel {
    struct Tensor {
        let name: String
        /// "F32", "F64".
        let type: String
        let shape: [Int]
        /// Alive as long as the model.
        let bytes: UnsafeRawBufferPointer
    }

    var tensors: [Tensor] {
        var tensors: [Tensor] = []
        for member in 0..<members {
            for mechanism in mechanisms.list where mechanism.distribution == nil {
                let noise = mechanism.residuals[member]
                tensors.append(Tensor(name: StructuralModel.noiseName(member, mechanism.variable), type: "F64", shape: [noise.count],
                                      bytes: UnsafeRawBufferPointer(noise.buffer)))
            }
        }
        for member in 0..<members {
            for mechanism in mechanisms.list {
                guard let layout = mechanism.model?.layout else { continue }
                for tensor in layout.tensors {
                    let numbers = UnsafeBufferPointer(start: mechanism.parameters[member].pointer + tensor.offset, count: tensor.count)
                    tensors.append(Tensor(name: StructuralModel.name(tensor, member, mechanism.variable), type: SafeTensors.type(of: Scalar.self),
                                          shape: tensor.shape, bytes: UnsafeRawBufferPointer(numbers)))
                }
            }
        }
        return tensors
    }

    static func noiseName(_ member: Int, _ variable: Variable) -> String { "members.\(member).\(variable.name).noise" }
    static func name(_ tensor: ParameterLayout.Tensor, _ member: Int, _ variable: Variable) -> String {
        "members.\(member).\(variable.name).\(tensor.name)"
    }
}
