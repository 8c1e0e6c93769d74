// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.patch;

import java.lang.classfile.Attributes;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.FieldModel;
import java.lang.classfile.MethodModel;
import java.lang.classfile.attribute.ExceptionsAttribute;
import java.lang.classfile.attribute.InnerClassInfo;
import java.lang.classfile.attribute.InnerClassesAttribute;
import java.lang.classfile.attribute.PermittedSubclassesAttribute;
import java.lang.classfile.attribute.RecordAttribute;
import java.lang.classfile.attribute.SignatureAttribute;
import java.lang.classfile.constantpool.ClassEntry;
import java.lang.reflect.AccessFlag;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// All of a class that other classes can be compiled against. Where it stays the same, whatever
/// changed inside, those others would be compiled to the same code again.
final class ClassShape {
    private ClassShape() {}

    /// The shape as text: comparable, and good for nothing else.
    static List<String> of(byte[] classFile) {
        ClassModel model = ClassFile.of().parse(classFile);
        List<String> shape = new ArrayList<>();
        shape.add(
                model.flags().flags()
                        + names(model.superclass().stream().toList())
                        + names(model.interfaces())
                        + model.findAttribute(Attributes.signature()).map(ClassShape::text));
        model.findAttribute(Attributes.permittedSubclasses())
                .map(ClassShape::text)
                .ifPresent(shape::add);
        model.findAttribute(Attributes.record()).map(ClassShape::text).ifPresent(shape::add);
        model.findAttribute(Attributes.innerClasses())
                .map(classes -> members(model, classes))
                .ifPresent(shape::add);
        model.fields().stream()
                .filter(field -> !field.flags().has(AccessFlag.PRIVATE))
                .map(ClassShape::field)
                .forEach(shape::add);
        model.methods().stream()
                .filter(method -> !method.flags().has(AccessFlag.PRIVATE))
                .map(ClassShape::method)
                .forEach(shape::add);
        return shape;
    }

    /// With its value where it is a constant, because the compiler copies that into other classes.
    private static String field(FieldModel field) {
        return field.flags().flags()
                + field.fieldName().stringValue()
                + field.fieldType().stringValue()
                + field.findAttribute(Attributes.signature()).map(ClassShape::text)
                + field.findAttribute(Attributes.constantValue())
                        .map(value -> value.constant().constantValue());
    }

    private static String method(MethodModel method) {
        return method.flags().flags()
                + method.methodName().stringValue()
                + method.methodType().stringValue()
                + method.findAttribute(Attributes.signature()).map(ClassShape::text)
                + method.findAttribute(Attributes.exceptions()).map(ClassShape::text);
    }

    /// The classes that are members of `model`, with their flags; not private ones, and not the
    /// classes of others that the attribute lists too.
    private static String members(ClassModel model, InnerClassesAttribute classes) {
        return classes.classes().stream()
                .filter(c -> isMember(model, c))
                .filter(c -> !c.has(AccessFlag.PRIVATE))
                .map(c -> c.innerClass().asInternalName() + c.flags())
                .toList()
                .toString();
    }

    private static boolean isMember(ClassModel model, InnerClassInfo c) {
        String owner = model.thisClass().asInternalName();
        return c.outerClass().map(ClassEntry::asInternalName).equals(Optional.of(owner));
    }

    private static String text(SignatureAttribute signature) {
        return signature.signature().stringValue();
    }

    private static String text(ExceptionsAttribute exceptions) {
        return names(exceptions.exceptions());
    }

    private static String text(PermittedSubclassesAttribute permitted) {
        return names(permitted.permittedSubclasses());
    }

    private static String text(RecordAttribute components) {
        return components.components().stream()
                .map(c -> c.name().stringValue() + c.descriptor().stringValue())
                .toList()
                .toString();
    }

    /// By name, because an entry is equal only to one at the same place of the same file.
    private static String names(List<ClassEntry> classes) {
        return classes.stream().map(ClassEntry::asInternalName).toList().toString();
    }
}
