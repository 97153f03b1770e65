// Holds a server against the official audit of GraphQL over HTTP and prints what came of each check.
import { auditServer } from 'graphql-http';

const results = await auditServer({ url: process.argv[2] });
console.log(JSON.stringify(results.map(({ id, name, status, reason }) => ({ name: `${id} ${name}`, status, reason }))));
