/** Sends commands to the booking system in compressed batches, and hears their replies. */

import { randomUUID } from "node:crypto";

import { CompressionTypes, Kafka, Partitioners, type Consumer, type Producer } from "kafkajs";

import type { BookingCommandAcceptedV1 } from "./messages/booking.CommandAccepted.v1";
import type { BookingCommandRejectedV1 } from "./messages/booking.CommandRejected.v1";
import type { BookingPlaceBookingV1 } from "./messages/booking.PlaceBooking.v1";

export type Reply =
  | ({ type: "booking.CommandAccepted.v1" } & BookingCommandAcceptedV1)
  | ({ type: "booking.CommandRejected.v1" } & BookingCommandRejectedV1);

export class NoReply extends Error {}

export class BookingSystem {
  private readonly waiting = new Map<string, (reply: Reply) => void>();

  private constructor(
    private readonly source: string,
    private readonly producer: Producer,
    private readonly consumer: Consumer,
  ) {}

  /** Connected, and hearing every reply from now on. `source` is the team's own name, as in `/my-team`. */
  static async open(brokers: string[], source: string): Promise<BookingSystem> {
    const kafka = new Kafka({ brokers, clientId: source.slice(1) });
    // Keys must lie where Java's clients would put them (murmur2), or a booking's messages lose their order.
    const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner, idempotent: true });
    // A group of its own, so that it hears the replies of every partition; what was said before it came, it needs not.
    const consumer = kafka.consumer({ groupId: `${source.slice(1)}-${randomUUID()}`, maxWaitTimeInMs: 200 });
    const system = new BookingSystem(source, producer, consumer);
    await Promise.all([producer.connect(), consumer.connect()]);
    await consumer.subscribe({ topic: "booking.replies", fromBeginning: false });
    // Only a fetch settles where it begins: a reply that came before the first one would not be heard.
    const fetched = new Promise<void>((resolve) => consumer.on(consumer.events.FETCH, () => resolve()));
    await consumer.run({
      eachMessage: async ({ message }) => system.hear(String(message.headers?.ce_type), String(message.value)),
    });
    await fetched;
    return system;
  }

  /** One batch, packed with gzip. Returns the replies, one a command, in the commands' order; rejects with NoReply. */
  async placeAll(commands: BookingPlaceBookingV1[], timeoutSeconds = 30): Promise<Reply[]> {
    const asked = commands.map((command) => ({ id: randomUUID(), command }));
    const replies = Promise.all(asked.map(({ id }) => this.reply(id, timeoutSeconds)));
    const sent = this.producer.send({
      topic: "booking.commands",
      compression: CompressionTypes.GZIP,
      acks: -1,
      messages: asked.map(({ id, command }) => ({
        key: command.booking_id,
        value: JSON.stringify(command),
        headers: {
          ce_specversion: "1.0",
          ce_id: id,
          ce_type: "booking.PlaceBooking.v1",
          ce_source: this.source,
          ce_time: new Date().toISOString(),
          "content-type": "application/json",
        },
      })),
    });
    return (await Promise.all([replies, sent]))[0];
  }

  async close(): Promise<void> {
    await Promise.all([this.producer.disconnect(), this.consumer.disconnect()]);
  }

  private reply(id: string, timeoutSeconds: number): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.waiting.delete(id);
        reject(new NoReply(`No reply to ${id} in ${timeoutSeconds} s: send it again with this id.`));
      }, timeoutSeconds * 1000);
      this.waiting.set(id, (reply) => {
        clearTimeout(timer);
        this.waiting.delete(id);
        resolve(reply);
      });
    });
  }

  /** Types and fields that this version does not know are passed over. */
  private hear(type: string, body: string): void {
    if (type === "booking.CommandAccepted.v1" || type === "booking.CommandRejected.v1") {
      const reply = { ...JSON.parse(body), type } as Reply;
      this.waiting.get(reply.command_id)?.(reply);
    }
  }
}
